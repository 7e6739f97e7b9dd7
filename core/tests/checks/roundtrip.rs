//! Commands come back from both forms, written by the library and by others.

use arbitrary::{Arbitrary, Result, Unstructured};
use rocketmq_core::command::LanguageCode;
use rocketmq_core::wire::SerializeType;

use super::command::{Command, Field, NAMES, frame};

/// Choices that make a command, and then a way to write it that is not the library's.
pub(crate) fn check(input: &[u8]) {
    let mut choices = Unstructured::new(input);
    let Ok(command) = command(&mut choices) else {
        return;
    };
    command.check();
    let Ok(foreign) = foreign_json(&command, &mut choices) else {
        return;
    };
    command.check_read(&frame(SerializeType::Json, foreign.as_bytes(), &command.body), SerializeType::Json);
}

pub(crate) fn command(choices: &mut Unstructured<'_>) -> Result<Command> {
    let count = choices.int_in_range(0..=NAMES.len())?;
    let fields = NAMES[..count].iter().map(|name| Ok((*name, field(choices)?))).collect::<Result<_>>()?;
    Ok(Command {
        code: choices.arbitrary()?,
        flag: choices.arbitrary()?,
        opaque: choices.arbitrary()?,
        version: choices.arbitrary()?,
        language: *choices.choose(&LanguageCode::NAMED)?,
        remark: if choices.arbitrary()? { Some(text(choices)?) } else { None },
        fields,
        body: Vec::arbitrary(choices)?,
    })
}

fn field(choices: &mut Unstructured<'_>) -> Result<Field> {
    Ok(match choices.int_in_range(0..=4)? {
        0 => Field::Text(text(choices)?),
        1 => Field::Int(choices.arbitrary()?),
        // Around the places where the number of digits changes.
        2 => {
            let power = 10_i64.pow(choices.int_in_range(0..=18)?);
            Field::Int(power.wrapping_add(choices.int_in_range(-2..=2)?))
        }
        3 => Field::Bool(choices.arbitrary()?),
        _ => {
            let count = choices.int_in_range(0..=3)?;
            Field::Parts((0..count).map(|_| text(choices)).collect::<Result<_>>()?)
        }
    })
}

fn text(choices: &mut Unstructured<'_>) -> Result<String> {
    let text = String::arbitrary(choices)?;
    // Longer than the room the library prepares at first.
    let times = if choices.ratio(1, 32)? { choices.int_in_range(1..=300)? } else { 1 };
    Ok(text.repeat(times))
}

/// The same header with other keys, order, spaces and escapes.
fn foreign_json(command: &Command, choices: &mut Unstructured<'_>) -> Result<String> {
    let header = command.header(SerializeType::Json);
    let fields = header.ext.iter().map(|(key, value)| {
        Ok(format!("{}{}:{}", space(choices)?, quoted(key, choices)?, quoted(value, choices)?))
    });
    let fields = fields.collect::<Result<Vec<_>>>()?.join(",");
    let mut members = vec![
        format!("\"code\":{}", number(header.code, choices)?),
        format!("\"opaque\":{}", number(header.opaque, choices)?),
        format!("\"flag\":{}", number(header.flag, choices)?),
        format!("\"version\":{}", number(header.version, choices)?),
        format!("\"language\":{}", quoted(header.language.name(), choices)?),
        format!("\"extFields\":{{{fields}{}}}", space(choices)?),
        (*choices.choose(&["\"x\":[{},1e5]", "\"serializeTypeCurrentRPC\":\"JSON\"", "\"\":null"])?)
            .to_owned(),
    ];
    match &header.remark {
        Some(remark) => members.push(format!("\"remark\":{}", quoted(remark, choices)?)),
        None if choices.arbitrary()? => members.push("\"remark\":null".into()),
        None => {}
    }
    for index in (1..members.len()).rev() {
        members.swap(index, choices.int_in_range(0..=index)?);
    }
    let members = members.iter().map(|member| Ok(format!("{}{member}", space(choices)?)));
    let members = members.collect::<Result<Vec<_>>>()?.join(",");
    Ok(format!("{}{{{members}{}}}{}", space(choices)?, space(choices)?, space(choices)?))
}

fn space(choices: &mut Unstructured<'_>) -> Result<&'static str> {
    choices.choose(&["", "", "", " ", "\r\n\t"]).copied()
}

fn number(number: i32, choices: &mut Unstructured<'_>) -> Result<String> {
    Ok(if choices.ratio(1, 4)? { format!("\"{number}\"") } else { number.to_string() })
}

/// A string of which any character may be escaped.
fn quoted(text: &str, choices: &mut Unstructured<'_>) -> Result<String> {
    let all: bool = choices.ratio(1, 4)?;
    let mut out = String::from('"');
    for character in text.chars() {
        if all || character < ' ' || matches!(character, '"' | '\\') {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04X}"));
            }
        } else {
            out.push(character);
        }
    }
    out.push('"');
    Ok(out)
}
