//! What random runs have reached.

/// States that random runs should reach, counted: a simulation that never reaches one tests nothing there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Reached {
    pub stored: u64,
    pub handed_over: u64,
    pub not_stored: u64,
    pub may_be_stored: u64,
    pub retries: u64,
    pub resets: u64,
    pub refused_connects: u64,
    pub hanging_connects: u64,
    pub short_writes: u64,
    pub short_reads: u64,
    pub duplicates: u64,
    pub late_answers: u64,
    pub duplicate_answers: u64,
    pub silences: u64,
    pub shutdowns_with_rest: u64,
}

impl Reached {
    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Reached) {
        for (mine, theirs) in self.fields_mut().into_iter().zip(other.fields()) {
            *mine.1 += theirs.1;
        }
    }

    /// The counts by name.
    pub fn fields(&self) -> Vec<(&'static str, u64)> {
        let mut copy = *self;
        copy.fields_mut().into_iter().map(|(name, value)| (name, *value)).collect()
    }

    fn fields_mut(&mut self) -> Vec<(&'static str, &mut u64)> {
        macro_rules! list {
            ($($field:ident),*) => { vec![$((stringify!($field), &mut self.$field)),*] };
        }
        list!(
            stored,
            handed_over,
            not_stored,
            may_be_stored,
            retries,
            resets,
            refused_connects,
            hanging_connects,
            short_writes,
            short_reads,
            duplicates,
            late_answers,
            duplicate_answers,
            silences,
            shutdowns_with_rest
        )
    }
}
