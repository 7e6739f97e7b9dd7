//! Frames: cut, glued, too long, too short, with lengths that lie.

use crate::faithfulness::step::{Request, Step, Subject, To};

/// A frame with these lengths, whatever stands in it.
fn lying(total: u32, marked: u32, content: &[u8]) -> Vec<u8> {
    [&total.to_be_bytes()[..], &marked.to_be_bytes()[..], content].concat()
}

/// A JSON header that is in order.
fn header(number: i32) -> String {
    format!(
        "{{\"code\":30,\"extFields\":{{\"topic\":\"Probe\",\"queueId\":\"0\"}},\"flag\":0,\"language\":\"JAVA\",\
         \"opaque\":{number},\"version\":513}}"
    )
}

fn frame(type_byte: u8, header: &[u8], body: &[u8]) -> Vec<u8> {
    let marked = (u32::from(type_byte) << 24) | header.len() as u32;
    lying(4 + (header.len() + body.len()) as u32, marked, &[header, body].concat())
}

fn request() -> Request {
    Request::new(30).fields(&[("topic", "Probe"), ("queueId", "0")])
}

fn encoded(request: &Request, number: i32) -> Vec<u8> {
    request.encode(number, &|_| None)
}

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("frames");
    whole_frames(&mut it);
    lengths(&mut it);
    contents(&mut it);
    it.bytes("flag of an answer", |number| encoded(&request().flag(1), number));
    it.bytes("flag of an answer without answer", |number| encoded(&request().flag(3), number));
    it.ask("unknown bit in the flag", request().flag(4));
    it.ask("unknown bits and one-way", request().flag(6));
    it.ask("negative flag", request().flag(-2));
    for opaque in [0, -1, i32::MIN, i32::MAX] {
        it.ask_both(&format!("number {opaque}"), &request().opaque(opaque));
    }
    it.steps
}

fn whole_frames(it: &mut Subject) {
    it.bytes("two in one write", |number| {
        [encoded(&request(), number), encoded(&request(), number + 1)].concat()
    })
    .requests(2);
    it.bytes("both forms in one write", |number| {
        [encoded(&request().binary(), number), encoded(&request(), number + 1)].concat()
    })
    .requests(2);
    it.pieces("byte by byte", |number| encoded(&request(), number).chunks(1).map(<[u8]>::to_vec).collect());
    it.pieces("cut behind the length", |number| {
        let bytes = encoded(&request(), number);
        vec![bytes[..4].to_vec(), bytes[4..].to_vec()]
    });
    it.bytes("with a body that nobody wants", |number| frame(0, header(number).as_bytes(), &[7; 1000]));
    it.bytes("largest", |number| {
        let header = header(number);
        frame(0, header.as_bytes(), &vec![0; 16_777_212 - 4 - header.len()])
    });
    it.bytes("larger than the largest", |number| {
        let header = header(number);
        frame(0, header.as_bytes(), &vec![0; 16_777_213 - 4 - header.len()])
    });
    it.bytes("cut off, then the end", |number| {
        let bytes = encoded(&request(), number);
        bytes[..bytes.len() - 5].to_vec()
    })
    .hangs_up();
    it.bytes("nothing, then the end", |_| Vec::new()).hangs_up();
    it.bytes("three bytes, then the end", |_| vec![0, 0, 0]).hangs_up();
}

fn lengths(it: &mut Subject) {
    for total in [0, 1, 2, 3, 4] {
        it.bytes(&format!("total {total}"), move |number| lying(total, 0, header(number).as_bytes()));
    }
    for (name, total) in
        [("negative total", 0xFFFF_FFFF), ("smallest total", 0x8000_0000), ("huge total", 0x7FFF_FFFF)]
    {
        it.bytes(name, move |number| lying(total, 100, header(number).as_bytes()));
        it.bytes(&format!("{name}, name server"), move |number| lying(total, 100, header(number).as_bytes()))
            .to(To::NameServer);
    }
    it.bytes("no header", |_| lying(104, 0, &[b'x'; 100]));
    it.bytes("header longer than the frame", |number| {
        let header = header(number);
        lying(4 + header.len() as u32, header.len() as u32 + 1, header.as_bytes())
    });
    it.bytes("header much longer than the frame", |number| {
        let header = header(number);
        lying(4 + header.len() as u32, 0x00FF_FFFF, header.as_bytes())
    });
    it.bytes("header shorter than it is", |number| {
        let header = header(number);
        lying(4 + header.len() as u32, header.len() as u32 - 10, header.as_bytes())
    });
}

fn contents(it: &mut Subject) {
    for type_byte in [2, 0x7F, 0x80, 0xFF] {
        it.bytes(&format!("type {type_byte}"), move |number| {
            frame(type_byte, header(number).as_bytes(), b"")
        });
    }
    it.bytes("type 2, name server", |number| frame(2, header(number).as_bytes(), b"")).to(To::NameServer);
    it.bytes("JSON under the binary type", |number| frame(1, header(number).as_bytes(), b""));
    it.bytes("binary under the JSON type", |number| {
        let mut bytes = encoded(&request().binary(), number);
        bytes[4] = 0;
        bytes
    });
    it.bytes("HTTP", |_| b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec());
    it.bytes("HTTP, name server", |_| b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec())
        .to(To::NameServer);
    it.bytes("line of the PROXY protocol", |number| {
        let line = b"PROXY TCP4 127.0.0.1 127.0.0.1 40000 10911\r\n".to_vec();
        [line, encoded(&request(), number)].concat()
    })
    .on(1);
    it.bytes("noise", |_| {
        (0..200_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80).collect()
    });
}
