//! What a script consists of: steps, and the requests in them.

use rocketmq_sim::cluster::{Frame, SerializeType};

/// The server that a step speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum To {
    NameServer,
    Broker,
}

/// What a step writes.
pub(crate) enum Writes {
    /// One request. Values of its fields may name the answer to an earlier step, see [`Request::field`].
    Request(Request),
    /// Bytes that are made with the number of the step, in one write for each piece.
    Bytes(Box<dyn Fn(i32) -> Vec<Vec<u8>>>),
}

/// One write on one connection, and what is waited for.
pub(crate) struct Step {
    /// Subject and name, separated by a slash; no two steps have the same.
    pub(crate) name: String,
    pub(crate) to: To,
    /// Which of the subject's connections to that server; one that was closed is opened again.
    pub(crate) connection: u8,
    pub(crate) writes: Writes,
    /// Requests in the bytes.
    pub(crate) requests: usize,
    /// Close the writing side after the bytes, and wait for the end of the stream.
    pub(crate) hangs_up: bool,
    /// Ask again until one of these texts stands in what came back: real servers do some things after their answer.
    pub(crate) until: Vec<&'static str>,
}

impl Step {
    pub(crate) fn to(&mut self, to: To) -> &mut Step {
        self.to = to;
        self
    }

    pub(crate) fn on(&mut self, connection: u8) -> &mut Step {
        self.connection = connection;
        self
    }

    pub(crate) fn requests(&mut self, count: usize) -> &mut Step {
        self.requests = count;
        self
    }

    pub(crate) fn hangs_up(&mut self) -> &mut Step {
        self.hangs_up = true;
        self
    }

    pub(crate) fn until(&mut self, text: &'static str) -> &mut Step {
        self.until.push(text);
        self
    }

    /// Whether no answer is wanted.
    pub(crate) fn is_one_way(&self) -> bool {
        matches!(&self.writes, Writes::Request(request) if request.frame.is_one_way())
    }

    /// The subject, which is the first part of the name.
    pub(crate) fn subject(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }
}

/// Steps about one subject. Connections are shared inside of it, topics and groups are its own.
pub(crate) struct Subject {
    name: &'static str,
    to: To,
    pub(crate) steps: Vec<Step>,
}

impl Subject {
    pub(crate) fn of_broker(name: &'static str) -> Subject {
        Subject { name, to: To::Broker, steps: Vec::new() }
    }

    pub(crate) fn of_name_server(name: &'static str) -> Subject {
        Subject { name, to: To::NameServer, steps: Vec::new() }
    }

    pub(crate) fn ask(&mut self, name: &str, request: Request) -> &mut Step {
        self.add(name, Writes::Request(request))
    }

    /// The same request with either form of header.
    pub(crate) fn ask_both(&mut self, name: &str, request: &Request) {
        self.ask(name, request.clone());
        self.ask(&format!("{name}, binary"), request.clone().binary());
    }

    pub(crate) fn bytes(&mut self, name: &str, make: impl Fn(i32) -> Vec<u8> + 'static) -> &mut Step {
        self.pieces(name, move |number| vec![make(number)])
    }

    pub(crate) fn pieces(&mut self, name: &str, make: impl Fn(i32) -> Vec<Vec<u8>> + 'static) -> &mut Step {
        self.add(name, Writes::Bytes(Box::new(make)))
    }

    fn add(&mut self, name: &str, writes: Writes) -> &mut Step {
        self.steps.push(Step {
            name: format!("{}/{name}", self.name),
            to: self.to,
            connection: 0,
            writes,
            requests: 1,
            hangs_up: false,
            until: Vec::new(),
        });
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }
}

/// A request, to be put together field by field.
#[derive(Clone)]
pub(crate) struct Request {
    frame: Frame,
}

impl Request {
    /// A request of a Java client 5.5.0 with a JSON header and an empty field map.
    pub(crate) fn new(code: i32) -> Request {
        Request { frame: Frame { opaque: None, ..Frame::request(code, 0, &[]) } }
    }

    /// Sets a field. `{place STEP}` stands for the commit-log offset in the message id of an earlier answer,
    /// `{offset STEP}` for its queue offset.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Request {
        let fields = self.frame.ext_fields.get_or_insert_with(Vec::new);
        match fields.iter_mut().find(|(key, _)| key == name) {
            Some(field) => field.1 = Some(value.into()),
            None => fields.push((name.into(), Some(value.into()))),
        }
        self
    }

    pub(crate) fn fields(self, fields: &[(&str, &str)]) -> Request {
        fields.iter().fold(self, |request, (name, value)| request.field(name, value))
    }

    pub(crate) fn without(mut self, name: &str) -> Request {
        if let Some(fields) = &mut self.frame.ext_fields {
            fields.retain(|(key, _)| key != name);
        }
        self
    }

    /// No field map at all, which is not the same as an empty one.
    pub(crate) fn without_fields(mut self) -> Request {
        self.frame.ext_fields = None;
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.frame.body = body.into().into();
        self
    }

    pub(crate) fn binary(mut self) -> Request {
        self.frame.serialize_type = SerializeType::RocketMq;
        self
    }

    pub(crate) fn code(mut self, code: i32) -> Request {
        self.frame.code = code;
        self
    }

    pub(crate) fn version(mut self, version: i32) -> Request {
        self.frame.version = version;
        self
    }

    pub(crate) fn language(mut self, code: u8) -> Request {
        self.frame.language = Some(code);
        self
    }

    pub(crate) fn flag(mut self, flag: i32) -> Request {
        self.frame.flag = flag;
        self
    }

    pub(crate) fn one_way(self) -> Request {
        self.flag(2)
    }

    /// A number of its own instead of the step's.
    pub(crate) fn opaque(mut self, opaque: i32) -> Request {
        self.frame.opaque = Some(opaque);
        self
    }

    /// The number that the answer should have.
    pub(crate) fn number(&self, step: i32) -> i32 {
        self.frame.opaque.unwrap_or(step)
    }

    /// The frame, with the values that name earlier answers put in by `resolve`.
    pub(crate) fn encode(&self, step: i32, resolve: &dyn Fn(&str) -> Option<String>) -> Vec<u8> {
        let mut frame = Frame { opaque: Some(self.number(step)), ..self.frame.clone() };
        for (_, value) in frame.ext_fields.iter_mut().flatten() {
            if let Some(resolved) = value.as_deref().and_then(resolve) {
                *value = Some(resolved.as_str().into());
            }
        }
        frame.encode()
    }
}
