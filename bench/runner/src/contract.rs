//! What load programs and the sink print: one `RESULT` line per load, one `STATS` line per question to the sink.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The line of a load program: figures of its measured phase, for its whole process. What a program cannot know is
/// `null`, but every name has to be there, so that a slip in one of them is noticed.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct LoadResult {
    pub client: String,
    #[serde(deserialize_with = "nullable")]
    pub version: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub variant: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub serialize: Option<String>,
    pub in_flight: u64,
    pub body_bytes: u64,
    pub messages: u64,
    pub failed: u64,
    #[serde(deserialize_with = "nullable")]
    pub first_error: Option<String>,
    pub seconds: f64,
    pub cpu_seconds: f64,
    #[serde(deserialize_with = "nullable")]
    pub user_seconds: Option<f64>,
    #[serde(deserialize_with = "nullable")]
    pub system_seconds: Option<f64>,
    #[serde(deserialize_with = "nullable")]
    pub p50_us: Option<f64>,
    #[serde(deserialize_with = "nullable")]
    pub p90_us: Option<f64>,
    #[serde(deserialize_with = "nullable")]
    pub p99_us: Option<f64>,
    #[serde(deserialize_with = "nullable")]
    pub p999_us: Option<f64>,
    #[serde(deserialize_with = "nullable")]
    pub max_us: Option<f64>,
    #[serde(deserialize_with = "nullable")]
    pub allocations: Option<u64>,
    #[serde(deserialize_with = "nullable")]
    pub allocated_bytes: Option<u64>,
    #[serde(deserialize_with = "nullable")]
    pub voluntary_switches: Option<u64>,
    #[serde(deserialize_with = "nullable")]
    pub involuntary_switches: Option<u64>,
    #[serde(deserialize_with = "nullable")]
    pub writes: Option<u64>,
    #[serde(deserialize_with = "nullable")]
    pub reads: Option<u64>,
    #[serde(deserialize_with = "nullable")]
    pub peak_rss_kib: Option<u64>,
    #[serde(deserialize_with = "nullable")]
    pub sends_per_second_offered: Option<f64>,
}

/// The line of the sink, counted since the question before.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct SinkStats {
    pub messages: u64,
    pub cpu_seconds: f64,
    pub reads: u64,
    pub writes: u64,
    pub read_bytes: u64,
    pub write_bytes: u64,
    pub connections: u64,
}

/// serde takes an absent field for `None` unless it has a deserializer of its own.
fn nullable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

impl LoadResult {
    /// The one `RESULT` line among all that a load program has printed.
    pub fn find<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut results = lines.into_iter().filter_map(|line| line.strip_prefix("RESULT "));
        let Some(text) = results.next() else { bail!("it printed no RESULT line") };
        if results.next().is_some() {
            bail!("it printed more than one RESULT line");
        }
        let result: Self = serde_json::from_str(text).with_context(|| format!("its RESULT line: {text}"))?;
        if result.failed > result.messages {
            bail!("it says that {} of {} messages failed", result.failed, result.messages);
        }
        Ok(result)
    }
}

impl SinkStats {
    pub fn parse(line: &str) -> Result<Self> {
        let Some(text) = line.strip_prefix("STATS ") else { bail!("the sink answered '{line}', not STATS") };
        serde_json::from_str(text).with_context(|| format!("the STATS line of the sink: {text}"))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub const RESULT: &str = r#"RESULT {"client":"ours","version":"0.1.0","variant":"tokio","serialize":"json","in_flight":256,"body_bytes":1024,"messages":1000,"failed":2,"first_error":"no answer within 3 s","seconds":0.5,"cpu_seconds":0.25,"user_seconds":0.05,"system_seconds":0.2,"p50_us":190.5,"p90_us":200,"p99_us":280,"p999_us":300,"max_us":912,"allocations":998,"allocated_bytes":64000,"voluntary_switches":12,"involuntary_switches":3,"writes":10,"reads":9,"peak_rss_kib":5120,"sends_per_second_offered":null}"#;

    #[test]
    fn a_result_is_found_among_other_lines() {
        let result = LoadResult::find(["warming up", RESULT, "done"]).unwrap();
        assert_eq!((result.messages, result.failed, result.p50_us), (1000, 2, Some(190.5)));
        assert_eq!(result.first_error.as_deref(), Some("no answer within 3 s"));
        assert_eq!(result.sends_per_second_offered, None);
    }

    #[test]
    fn a_line_that_breaks_the_contract_is_refused() {
        let error = |lines: &[&str]| format!("{:#}", LoadResult::find(lines.iter().copied()).unwrap_err());
        assert!(error(&["nothing"]).contains("no RESULT line"));
        assert!(error(&[RESULT, RESULT]).contains("more than one"));
        let misspelt = RESULT.replace("\"p999_us\"", "\"p99.9_us\"");
        assert!(error(&[&misspelt]).contains("p999_us"), "{}", error(&[&misspelt]));
        let without_messages = RESULT.replace("\"messages\":1000", "\"messages\":null");
        assert!(error(&[&without_messages]).contains("null"));
        let too_many = RESULT.replace("\"failed\":2", "\"failed\":1001");
        assert!(error(&[&too_many]).contains("1001 of 1000"));
    }

    #[test]
    fn stats_of_the_sink_are_read() {
        let line = r#"STATS {"messages":12,"cpu_seconds":0.000012,"reads":3,"writes":2,"read_bytes":15000,"write_bytes":3000,"connections":1}"#;
        let stats = SinkStats::parse(line).unwrap();
        assert_eq!((stats.messages, stats.reads, stats.connections), (12, 3, 1));
        assert_eq!(stats.cpu_seconds, 0.000012);
        assert!(SinkStats::parse("READY 127.0.0.1:1").is_err());
        assert!(SinkStats::parse(&line.replace("\"reads\"", "\"read\"")).is_err());
    }
}
