//! Where the instructions of a scenario go, as callgrind's own reader tells it, per operation.

use std::collections::BTreeMap;
use std::process::Command;

use bench_instructions::scenarios::Scenario;

use crate::callgrind::{Callgrind, Error, output_of};

/// Lines of each list.
const TOP: usize = 40;

/// The functions and the source files with the largest own cost.
pub(crate) fn text(callgrind: &Callgrind, scenario: &Scenario) -> Result<String, Error> {
    let (file, operations) = callgrind.record(scenario)?;
    // It warns of paths that it does not find, which is of no concern here.
    let annotated = output_of(
        Command::new("callgrind_annotate").args(["--auto=no", "--show=Ir", "--threshold=100"]).arg(&file),
    )?;
    let (mut by_function, mut by_file) = (BTreeMap::new(), BTreeMap::new());
    let mut total = 0;
    for (count, file, function) in annotated.lines().filter_map(read_line) {
        total += count;
        *by_function.entry(function.to_owned()).or_insert(0) += count;
        *by_file.entry(file.to_owned()).or_insert(0) += count;
    }
    let list = |costs: BTreeMap<String, u64>| top(costs, total, operations);
    Ok(format!(
        "{}: {:.1} instructions per {}, warm-up included\n\n\
         Own cost by function, with what was inlined into it:\n{}\n\
         Own cost by source file, inlined or not:\n{}\n\
         Line by line: callgrind_annotate --auto=yes --show=Ir {}\n",
        scenario.name,
        total as f64 / operations as f64,
        scenario.operation,
        list(by_function),
        list(by_file),
        file.display()
    ))
}

/// `1,234 (5.67%)  file:function [object]`: the count, the file and the function.
fn read_line(line: &str) -> Option<(u64, &str, &str)> {
    let (count, rest) = line.trim_start().split_once(" (")?;
    let count = count.replace(',', "").parse().ok()?;
    let (_, place) = rest.split_once("%)  ")?;
    let place = place.split(" [/").next().unwrap_or(place);
    let (file, function) = place.split_once(':')?;
    Some((count, file, function))
}

fn top(costs: BTreeMap<String, u64>, total: u64, operations: u64) -> String {
    let mut costs: Vec<_> = costs.into_iter().collect();
    costs.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let line = |(name, count): &(String, u64)| {
        let share = *count as f64 * 100.0 / total as f64;
        format!("{:>9.1} {share:>5.1} %  {}\n", *count as f64 / operations as f64, short(name))
    };
    costs.iter().take(TOP).map(line).collect()
}

/// Paths of the standard library and of crates without the machine's part.
fn short(name: &str) -> String {
    let after = |marker: &str, title: &str| name.split_once(marker).map(|(_, rest)| format!("{title}{rest}"));
    after("/library/", "std: ")
        .or_else(|| after("/registry/src/", "crates: "))
        .unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{read_line, short};

    #[test]
    fn lines_of_the_reader_are_taken_apart() {
        let line =
            "12,345 ( 1.20%)  /rustc/1a2b/library/core/src/str/mod.rs:<a::B as c::D>::next [/x/scenario]";
        let path = "/rustc/1a2b/library/core/src/str/mod.rs";
        assert_eq!(read_line(line), Some((12_345, path, "<a::B as c::D>::next")));
        assert_eq!(read_line("Ir                  file:function"), None);
        assert_eq!(read_line("25,762,000 (100.0%)  PROGRAM TOTALS"), None);
        assert_eq!(short(path), "std: core/src/str/mod.rs");
    }
}
