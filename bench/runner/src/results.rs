//! Finds the figures of a results file: by load, setting and round.

use crate::peers;
use crate::results_file::Facts;
use crate::row::Row;
use crate::setting::Setting;
use crate::statistics::{InRound, Spread, best_of_rounds, ratio};

/// A figure of one run; `None` where it is unknown.
pub type Figure = fn(&Row) -> Option<f64>;

pub struct Results {
    pub facts: Facts,
    pub rows: Vec<Row>,
}

/// A load under one setting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subject {
    pub name: String,
    pub setting: Setting,
}

impl Results {
    /// Measured runs of loads.
    pub fn runs(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.counts())
    }

    /// What was run in a part, in the order of its first run.
    pub fn subjects(&self, part: &str) -> Vec<Subject> {
        let mut subjects = Vec::new();
        for row in self.runs().filter(|row| row.part == part) {
            let subject = Subject { name: row.name.clone(), setting: row.setting() };
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        subjects
    }

    pub fn series(&self, name: &str, setting: &Setting, figure: Figure) -> Vec<InRound> {
        let runs = self.runs().filter(|row| row.name == name && row.setting() == *setting);
        runs.filter_map(|row| Some(InRound { round: row.round, value: figure(row)? })).collect()
    }

    pub fn spread(&self, name: &str, setting: &Setting, figure: Figure) -> Option<Spread> {
        Spread::of(self.series(name, setting, figure).iter().map(|value| value.value))
    }

    pub fn ratio(&self, of: (&str, &Setting), to: (&str, &Setting), figure: Figure) -> Option<Spread> {
        ratio(&self.series(of.0, of.1, figure), &self.series(to.0, to.1, figure))
    }

    /// In each round the best of the peers, in all their modes, under those settings.
    pub fn best_peer(
        &self,
        settings: impl Fn(&Setting) -> bool,
        figure: Figure,
        better: fn(f64, f64) -> bool,
    ) -> Vec<InRound> {
        let of_peer = |name: &str| {
            let runs = self.runs().filter(|row| row.name == name && settings(&row.setting()));
            runs.filter_map(|row| Some(InRound { round: row.round, value: figure(row)? })).collect()
        };
        let series: Vec<Vec<InRound>> = peers::COMPARED.into_iter().map(of_peer).collect();
        best_of_rounds(&series, better)
    }

    /// A figure that is not of a load.
    pub fn measure(&self, name: &str, measure: &str) -> Option<Spread> {
        self.measure_of(|row| row.name == name, measure)
    }

    /// The same figure of all whose name begins like this.
    pub fn measures(&self, begin: &str, measure: &str) -> Option<Spread> {
        self.measure_of(|row| row.name.starts_with(begin), measure)
    }

    fn measure_of(&self, wanted: impl Fn(&Row) -> bool, measure: &str) -> Option<Spread> {
        let found = self.rows.iter().filter(|row| row.measure.as_deref() == Some(measure) && wanted(row));
        Spread::of(found.filter_map(|row| row.value))
    }
}

pub fn less(a: f64, b: f64) -> bool {
    a < b
}

pub fn more(a: f64, b: f64) -> bool {
    a > b
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::peers::{GO_SYNC, JAVA_ASYNC};
    use crate::row::tests::measured;
    use crate::setting::Form;

    /// A run that sent 1 000 messages with so much CPU each, at so many per second.
    pub fn run(name: &str, round: u32, setting: &Setting, cpu_us: f64, per_second: f64) -> Row {
        let mut row = measured(name, round, setting);
        (row.messages, row.failed) = (Some(1000), Some(0));
        row.cpu_seconds = Some(cpu_us / 1000.0);
        row.seconds = Some(1000.0 / per_second);
        row
    }

    pub fn results(rows: Vec<Row>) -> Results {
        Results { facts: Vec::new(), rows }
    }

    #[test]
    fn runs_are_found_by_load_and_setting() {
        let (all, few) = (Setting::DEFAULT, Setting::DEFAULT.in_flight(16));
        let mut broken = run("tokio", 3, &all, 9.0, 1.0);
        broken.trouble = Some("no end".to_owned());
        let results = results(vec![
            run("tokio", 1, &all, 1.0, 1e6),
            run("tokio", 2, &all, 3.0, 1e6),
            run("tokio", 1, &few, 7.0, 1e6),
            run("smol", 1, &all, 2.0, 1e6),
            run("smol", 2, &all, 3.0, 1e6),
            broken,
        ]);
        assert_eq!(results.spread("tokio", &all, Row::cpu_us).unwrap().median, 2.0);
        let ratio = results.ratio(("smol", &all), ("tokio", &all), Row::cpu_us).unwrap();
        assert_eq!((ratio.median, ratio.least, ratio.most), (1.5, 1.0, 2.0));
        let names: Vec<_> = results.subjects("clients").into_iter().map(|subject| subject.name).collect();
        assert_eq!(names, ["tokio", "tokio", "smol"]);
        assert!(results.subjects("body").is_empty());
    }

    #[test]
    fn the_best_peer_may_be_any_of_them_in_any_mode() {
        let all = Setting::DEFAULT;
        let binary = all.forms(Form::Binary, Form::Binary);
        let results = results(vec![
            run(JAVA_ASYNC.name, 1, &all, 10.0, 90e3),
            run(JAVA_ASYNC.name, 1, &binary, 8.0, 80e3),
            run(GO_SYNC.name, 1, &all, 40.0, 30e3),
            run("tokio", 1, &all, 1.0, 1e6),
            run(GO_SYNC.name, 2, &all, 5.0, 30e3),
        ]);
        let here = |setting: &Setting| setting.in_flight == 256;
        let cpu: Vec<f64> =
            results.best_peer(here, Row::cpu_us, less).iter().map(|best| best.value.round()).collect();
        assert_eq!(cpu, [8.0, 5.0]);
        let speed = results.best_peer(here, Row::per_second, more);
        assert_eq!(speed.iter().map(|best| best.value.round()).collect::<Vec<_>>(), [90e3, 30e3]);
        assert!(results.best_peer(|setting| setting.in_flight == 1, Row::cpu_us, less).is_empty());
    }
}
