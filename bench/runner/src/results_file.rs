//! The results file: facts about the machine as `# name: value` lines, then every single run as a row of tab-separated
//! values. Tables and plots are made from nothing else.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::row::Row;

/// Name and value of each.
pub type Facts = Vec<(String, String)>;

/// A results file that is being written; a row is in it as soon as its run has ended.
pub struct ResultsFile {
    path: PathBuf,
    rows: csv::Writer<File>,
}

impl ResultsFile {
    pub fn create(path: &Path, facts: &Facts) -> Result<Self> {
        let cannot = || format!("{} cannot be written", path.display());
        let mut file = File::create_new(path).with_context(cannot)?;
        for (name, value) in facts {
            writeln!(file, "# {name}: {}", value.replace('\n', " ")).with_context(cannot)?;
        }
        let rows = csv::WriterBuilder::new().delimiter(b'\t').from_writer(file);
        Ok(Self { path: path.to_owned(), rows })
    }

    pub fn add(&mut self, row: &Row) -> Result<()> {
        let cannot = || format!("{} cannot be written", self.path.display());
        self.rows.serialize(one_line_texts(row)).with_context(cannot)?;
        self.rows.flush().with_context(cannot)
    }
}

/// A row stays a line, whatever text a program came up with.
fn one_line_texts(row: &Row) -> Row {
    let mut row = row.clone();
    for text in [&mut row.trouble, &mut row.first_error, &mut row.version].into_iter().flatten() {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    row
}

pub fn read(path: &Path) -> Result<(Facts, Vec<Row>)> {
    let cannot = || format!("{} cannot be read", path.display());
    let text = std::fs::read_to_string(path).with_context(cannot)?;
    let facts = text
        .lines()
        .map_while(|line| line.strip_prefix("# "))
        .filter_map(|fact| fact.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b'\t').comment(Some(b'#')).from_reader(text.as_bytes());
    let rows = reader.deserialize().collect::<csv::Result<Vec<Row>>>().with_context(cannot)?;
    if rows.is_empty() {
        bail!("{} has no rows", path.display());
    }
    Ok((facts, rows))
}

/// `<folder>/<date>.tsv`, or the first free one of `<date>-2.tsv`, `<date>-3.tsv` …
pub fn free_path(folder: &Path, name: &str) -> PathBuf {
    let numbered = (2..).map(|number| folder.join(format!("{name}-{number}.tsv")));
    std::iter::once(folder.join(format!("{name}.tsv")))
        .chain(numbered)
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join("results.tsv"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::measured;
    use crate::setting::{Form, Setting};

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("bench-runner-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let folder = folder("round-trip");
        let path = free_path(&folder, "2026-11-30");
        let facts = vec![("rust".to_owned(), "rustc 1.88.0: stable".to_owned())];

        let mut full = measured("tokio", 3, &Setting::DEFAULT.rate(1000).forms(Form::Binary, Form::Json));
        full.version = Some("5".to_owned());
        full.broker_cpu_seconds = Some(1.25);
        full.started = 1_800_000_000;
        let mut bare = Row::new("real", 1, "java-sync", &Setting::DEFAULT.broker());
        bare.trouble = Some("it said: \"no\"".to_owned());
        let mut figure = Row::new("core", 1, "core", &Setting::DEFAULT);
        (figure.measure, figure.value) = (Some("allocations".to_owned()), Some(0.0));

        let mut file = ResultsFile::create(&path, &facts).unwrap();
        let rows = [full, bare, figure];
        for row in &rows {
            file.add(row).unwrap();
        }
        assert_eq!(read(&path).unwrap(), (facts, rows.to_vec()));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn texts_of_programs_stay_in_their_line_and_files_in_their_place() {
        let folder = folder("lines");
        let path = free_path(&folder, "2026-11-30");
        let mut row = measured("tokio", 1, &Setting::DEFAULT);
        row.first_error = Some("# no route\n\tto \"Bench\"".to_owned());
        ResultsFile::create(&path, &Vec::new()).unwrap().add(&row).unwrap();
        let (_, rows) = read(&path).unwrap();
        assert_eq!(rows[0].first_error.as_deref(), Some("# no route to \"Bench\""));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);

        assert!(ResultsFile::create(&path, &Vec::new()).is_err(), "results are never overwritten");
        assert_eq!(free_path(&folder, "2026-11-30"), folder.join("2026-11-30-2.tsv"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
