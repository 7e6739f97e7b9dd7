//! Pictures of few and of many messages, in which something goes wrong, stay within bounds and can be read.

mod common;

use std::{fmt, fs};

use rocketmq_driver::{Bodies, Producer};
use rocketmq_sim::lab::{self, Lab, SendFault};

use common::recorded::{SECOND, file, message, record, replay};
use common::{assert_code, run};

const WIDTH: f64 = 1_400.0;
/// Where bars begin; left of it stands what they are.
const LEFT: f64 = 190.0;
/// Places in a picture are cut to a tenth.
const ROUNDED: f64 = 0.11;
/// Letters are about so wide, by the size of their class.
const LETTERS: [(&str, f64); 3] = [("head", 8.2), ("on-", 5.0), ("", 5.4)];
/// The lower of two texts is so much lower at least.
const LINE: f64 = 8.0;

/// Sends so many messages, so many of them at once. In the middle a connection is lost, and the broker is away for a
/// while.
async fn load(lab: Lab, producer: Producer, messages: usize, at_once: usize) {
    let mut number = 0;
    while number < messages {
        let mut receipts = Vec::new();
        for _ in 0..at_once.min(messages - number) {
            number += 1;
            if number == messages / 2 {
                lab.broker(0).next_sends(1, SendFault::busy());
                lab.broker(0).next_sends(1, SendFault::StoreThenCrash);
                lab.after(SECOND / 2, |lab| lab.broker(0).restart());
            }
            receipts.push(producer.enqueue(message(number)).await.expect("room"));
        }
        for receipt in receipts {
            // Its verdict is in the picture, whichever it is.
            drop(receipt.await);
        }
    }
}

/// An element with a place and a size; texts have the size that they take up.
struct Element<'a> {
    class: &'a str,
    text: &'a str,
    x: (f64, f64),
    y: (f64, f64),
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, text, x, y } = self;
        write!(f, "{class} {text:?} at {x:?}, {y:?}")
    }
}

impl Element<'_> {
    fn overlaps(&self, other: &Self) -> bool {
        let meets = |(a, b): (f64, f64), (c, d): (f64, f64)| a + ROUNDED < d && c + ROUNDED < b;
        meets(self.x, other.x) && meets(self.y, other.y)
    }

    fn is_within(&self, other: &Self) -> bool {
        let holds = |(a, b): (f64, f64), (c, d): (f64, f64)| a <= c + ROUNDED && d <= b + ROUNDED;
        holds(other.x, self.x) && holds(other.y, self.y)
    }
}

fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let begin = format!(" {name}=\"");
    let found = element.split_once(&begin).and_then(|(_, rest)| rest.split_once('"'));
    found.unwrap_or_else(|| panic!("no {name} in {element}")).0
}

fn number(element: &str, name: &str) -> f64 {
    attribute(element, name).parse().expect("a number")
}

/// Rectangles, each in a line of its own.
fn bars(svg: &str) -> Vec<Element<'_>> {
    let found = svg.lines().filter(|line| line.starts_with("<rect ")).map(|line| {
        let (x, y) = (number(line, "x"), number(line, "y"));
        let (width, height) = (number(line, "width"), number(line, "height"));
        Element { class: attribute(line, "class"), text: "", x: (x, x + width), y: (y, y + height) }
    });
    found.collect()
}

fn texts(svg: &str) -> Vec<Element<'_>> {
    let found = svg.lines().filter(|line| line.starts_with("<text ")).map(|line| {
        let (x, y, class) = (number(line, "x"), number(line, "y"), attribute(line, "class"));
        let text = line.split_once('>').and_then(|(_, rest)| rest.strip_suffix("</text>")).expect("a text");
        let letter =
            LETTERS.iter().find(|(prefix, _)| class.starts_with(prefix)).map_or(0.0, |(_, width)| *width);
        let width = text.chars().count() as f64 * letter;
        let x = if class == "tick" { x - width / 2.0 } else { x };
        Element { class, text, x: (x, x + width), y: (y - LINE, y) }
    });
    found.collect()
}

fn first_overlap<'a>(elements: &'a [Element<'a>]) -> Option<(&'a Element<'a>, &'a Element<'a>)> {
    elements.iter().enumerate().find_map(|(place, one)| {
        elements.iter().skip(place + 1).find(|other| one.overlaps(other)).map(|other| (one, other))
    })
}

/// The rules of a picture of so many messages.
fn assert_readable(svg: &str, messages: usize) {
    let (width, height) = (number(svg, "width"), number(svg, "height"));
    assert_eq!(width, WIDTH);
    // Three blocks, each with a head, and rows of two points where there are very many.
    let block = 80.0 + (2.0 * messages as f64 * 1.25).max(300.0 + 15.0);
    assert!(height <= 150.0 + 3.0 * block, "{height} high for {messages} messages");
    assert!(svg.len() < 20_000 + 2_000 * messages, "{} bytes for {messages} messages", svg.len());
    let paper = Element { class: "paper", text: "", x: (0.0, width), y: (0.0, height) };
    let (mut bars, texts) = (bars(svg), texts(svg));
    for element in bars.iter().chain(&texts) {
        assert!(element.is_within(&paper), "{element:?} is outside");
    }
    if let Some((one, other)) = first_overlap(&texts) {
        panic!("{one:?} covers {other:?}");
    }
    // Strips of connections show moments that may lie within one point; they have crosses on them, and no rows.
    bars.retain(|bar| !["paper", "opening", "up"].contains(&bar.class));
    if let Some((one, other)) = first_overlap(&bars) {
        panic!("{one:?} covers {other:?}");
    }
    for text in &texts {
        if text.class.starts_with("on-") {
            assert!(bars.iter().any(|bar| text.is_within(bar)), "{text:?} is on no bar");
        } else if text.class == "small" && text.x.0 < 15.0 {
            assert!(text.x.1 <= LEFT, "{text:?} runs into the bars");
        }
    }
}

#[test]
fn pictures_of_few_and_of_many_messages_can_be_read() {
    for (messages, at_once) in [(10, 1), (10, 10), (1_000, 1), (1_000, 50), (1_000, 1_000)] {
        let name = format!("picture-{messages}-{at_once}");
        let work = |lab, producer| load(lab, producer, messages, at_once);
        let path = record(&name, &lab::builder().topic("placed", 4), Bodies::LeaveOut, work);
        let picture = file(&format!("{name}.svg"));
        let output = run(replay(&path, &["--transcript", "--timeline", &picture.display().to_string()]));
        assert_code(&output, 0);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let svg = fs::read_to_string(&picture).expect("a picture");
        assert_readable(&svg, messages);
        // One of each is in the legend.
        let drawn = |class: &str| svg.matches(&format!("class=\"{class}\"")).count() - 1;
        let verdicts = ["stored", "may-be-stored", "not-stored"].map(drawn);
        assert_eq!(verdicts.iter().sum::<usize>(), messages, "{name}");
        assert!(verdicts[0] > messages / 3, "{name}: {verdicts:?}");
        assert_eq!(drawn("retry"), told.matches(" is tried again in ").count(), "{name}");
        assert!(drawn("retry") > 0 && drawn("fault") > 1, "{name}");
        assert_eq!(drawn("fault"), told.lines().filter(|line| line.contains(" ends: ")).count(), "{name}");
        assert!(svg.contains("class=\"fault-text\""), "{name}: no fault is named");
        fs::remove_file(path).expect("there");
        fs::remove_file(picture).expect("there");
    }
}
