//! Draws JSON that is nearly right, from bytes that a fuzzer chooses.

use arbitrary::{Result, Unstructured};

const HEADER_KEYS: [&str; 9] = [
    "code",
    "opaque",
    "flag",
    "version",
    "language",
    "remark",
    "extFields",
    "serializeTypeCurrentRPC",
    "c\\u006fde",
];

/// The inside of strings; those from [`SOUND_PIECES`] on are wrong in strict JSON.
const PIECES: [&str; 20] = [
    "a",
    "topic",
    "TBW102",
    "JAVA",
    "RUST",
    "é",
    "😀",
    "\\n",
    "\\\"",
    "\\\\",
    "\\/",
    "\\u0001",
    "\\u0002",
    "\\ud83d\\ude00",
    "\u{7f}",
    "\\ud83d",
    "\\ude00",
    "\\x",
    "\\u12",
    "\u{1}",
];
const SOUND_PIECES: usize = 15;

const SCALARS: [&str; 24] = [
    "0",
    "1",
    "-1",
    "10",
    "105",
    "310",
    "2147483647",
    "-2147483648",
    "2147483648",
    "null",
    "true",
    "false",
    "\"0\"",
    "\"310\"",
    "-0",
    "1.5",
    "2e3",
    "01",
    "1.",
    "-",
    "+1",
    "nul",
    "'x'",
    "\"\"",
];
const SOUND_SCALARS: usize = 17;

/// A header.
pub(crate) fn header(choices: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    object(&mut text, choices, &HEADER_KEYS, 3)?;
    // Without these two a header is refused whatever else it says.
    if choices.ratio(1, 2)? && text != "{}" {
        text.replace_range(..1, "{\"code\":0,\"opaque\":1,");
    }
    if odd(choices)? {
        text.push_str(choices.choose(&[",", "x", "}", "\u{feff}", " ", "\u{a0}"])?);
    }
    Ok(text)
}

/// An object some of whose keys are among `keys`.
pub(crate) fn object(
    text: &mut String,
    choices: &mut Unstructured<'_>,
    keys: &[&str],
    depth: usize,
) -> Result<()> {
    text.push('{');
    for index in 0..choices.int_in_range(0..=10)? {
        if index > 0 {
            text.push(',');
        }
        space(text, choices)?;
        if keys.is_empty() || choices.ratio(1, 8)? {
            string(text, choices)?;
        } else {
            text.push('"');
            text.push_str(choices.choose(keys)?);
            text.push('"');
        }
        space(text, choices)?;
        text.push(if odd(choices)? { ';' } else { ':' });
        space(text, choices)?;
        value(text, choices, depth)?;
    }
    if odd(choices)? {
        text.push(',');
    }
    text.push('}');
    Ok(())
}

/// Any value.
pub(crate) fn value(text: &mut String, choices: &mut Unstructured<'_>, depth: usize) -> Result<()> {
    match choices.int_in_range(0..=9)? {
        0 | 1 if depth > 0 => object(text, choices, &[], depth - 1),
        2 if depth > 0 => {
            text.push('[');
            for index in 0..choices.int_in_range(0..=3)? {
                if index > 0 {
                    text.push(',');
                }
                value(text, choices, depth - 1)?;
            }
            text.push(']');
            Ok(())
        }
        0..=5 => string(text, choices),
        _ => {
            let most = if odd(choices)? { SCALARS.len() } else { SOUND_SCALARS };
            text.push_str(choices.choose(&SCALARS[..most])?);
            Ok(())
        }
    }
}

fn string(text: &mut String, choices: &mut Unstructured<'_>) -> Result<()> {
    text.push('"');
    for _ in 0..choices.int_in_range(0..=4)? {
        let most = if odd(choices)? { PIECES.len() } else { SOUND_PIECES };
        text.push_str(choices.choose(&PIECES[..most])?);
    }
    text.push('"');
    Ok(())
}

fn space(text: &mut String, choices: &mut Unstructured<'_>) -> Result<()> {
    if choices.ratio(1, 16)? {
        text.push_str(choices.choose(&[" ", "\n", "\t\r ", "\u{a0}"])?);
    }
    Ok(())
}

/// Now and then something is wrong.
fn odd(choices: &mut Unstructured<'_>) -> Result<bool> {
    choices.ratio(1, 64)
}
