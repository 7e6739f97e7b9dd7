//! Bodies that are compressed with zlib are inflated as RFC 1950 and RFC 1951 say, or stay as they are; what comes out
//! has never more bytes than the cap, and keeps no more memory than it has bytes.

use bytes::Bytes;
use rocketmq_core::message::{Message, MessageExt};

/// Above every cap that an input can name.
const MOST: usize = 1 << 16;
/// The base of the checksum.
const ADLER: u32 = 65_521;
/// The order in which the lengths of the codes for lengths come.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// `z` for a body as a broker brings it, or `d` for blocks that get a header and the right checksum, so that changed ones
/// are not all refused for that; the cap in two bytes; then the body or the blocks.
///
/// `checksums_count` says whether a wrong checksum must be refused: the library that inflates does not look at it when it
/// is built for a fuzzer.
pub(crate) fn check(input: &[u8], checksums_count: bool) {
    let Some(([kind, high, low], body)) = input.split_first_chunk() else {
        return;
    };
    let most = usize::from(u16::from_be_bytes([*high, *low]));
    match kind {
        b'z' => inflated(body, most, checksums_count),
        b'd' => inflated(&whole(body), most, checksums_count),
        _ => {}
    }
}

/// Why there is no plain body.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Refused {
    Wrong,
    /// All is well but the checksum.
    Checksum(Vec<u8>),
    /// A code of one word only that is longer than a bit. zlib refuses it; what does not comes to no harm.
    LoneLongWord,
}

fn inflated(body: &[u8], most: usize, checksums_count: bool) {
    let before = stored(body);
    let mut message = before.clone();
    message.inflate(most);
    let expected = match slow(body) {
        Err(Refused::Checksum(plain)) if !checksums_count => Ok(plain),
        other => other,
    };
    match expected {
        Ok(plain) if plain.len() <= most => {
            assert_eq!(message.message.body(), &plain);
            // Bits that have nothing to do with compression stay.
            assert_eq!((message.compression(), message.system_flag), (None, 0x4));
        }
        Err(Refused::LoneLongWord) if message != before => assert!(message.message.body().len() <= most),
        Ok(_) | Err(_) => assert_eq!(message, before),
    }
    let kept = message.message.body().clone();
    drop((message, before));
    let len = kept.len();
    let memory = kept.try_into_mut().map_or(len, |kept| kept.capacity());
    assert_eq!(memory, len, "more memory is kept than the body has bytes");
}

fn stored(body: &[u8]) -> MessageExt {
    MessageExt {
        message: Message::new("T".parse().unwrap(), Bytes::copy_from_slice(body)),
        queue_id: 0,
        queue_offset: 0,
        commit_log_offset: 0,
        system_flag: 0x305,
        born_timestamp: 0,
        born_host: ([127, 0, 0, 1], 1).into(),
        store_timestamp: 0,
        store_host: ([127, 0, 0, 1], 2).into(),
        reconsume_times: 0,
        prepared_transaction_offset: 0,
    }
}

/// Blocks with a header before them and their checksum behind them.
fn whole(blocks: &[u8]) -> Vec<u8> {
    let mut bits = Bits { bytes: blocks, at: 0 };
    let sum = bits.blocks().map_or(0, |plain| checksum(&plain));
    let (blocks, rest) = blocks.split_at(bits.at.div_ceil(8));
    [&[0x78, 0x9c], blocks, &sum.to_be_bytes(), rest].concat()
}

fn slow(body: &[u8]) -> Result<Vec<u8>, Refused> {
    let (header, blocks) = body.split_first_chunk().ok_or(Refused::Wrong)?;
    let [method, flags] = *header;
    let is_deflate = method & 0xf == 8 && method >> 4 <= 7;
    let needs_dictionary = flags & 0x20 != 0;
    if !is_deflate || needs_dictionary || u16::from_be_bytes(*header) % 31 != 0 {
        return Err(Refused::Wrong);
    }
    let mut bits = Bits { bytes: blocks, at: 0 };
    let plain = bits.blocks()?;
    let sum = blocks.get(bits.at.div_ceil(8)..).and_then(<[u8]>::first_chunk).ok_or(Refused::Wrong)?;
    // What follows it is not looked at.
    if u32::from_be_bytes(*sum) == checksum(&plain) { Ok(plain) } else { Err(Refused::Checksum(plain)) }
}

fn checksum(plain: &[u8]) -> u32 {
    let (low, high) = plain.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % ADLER;
        (low, (high + low) % ADLER)
    });
    high << 16 | low
}

/// How many words have each length, and the words in the order of their codes.
struct Code {
    counts: [usize; 16],
    words: Vec<usize>,
}

impl Code {
    fn new(lengths: &[usize], may_lack: bool) -> Result<Code, Refused> {
        let mut counts = [0; 16];
        for len in lengths {
            counts[*len] += 1;
        }
        counts[0] = 0;
        let mut left = 1_i64;
        for count in &counts[1..] {
            left = 2 * left - i64::try_from(*count).unwrap();
            if left < 0 {
                return Err(Refused::Wrong);
            }
        }
        let used: usize = counts.iter().sum();
        if left > 0 && (!may_lack || used > 1) {
            return Err(Refused::Wrong);
        }
        if used == 1 && counts[1] == 0 {
            return Err(Refused::LoneLongWord);
        }
        let mut words: Vec<usize> = (0..lengths.len()).filter(|word| lengths[*word] > 0).collect();
        words.sort_by_key(|word| lengths[*word]);
        Ok(Code { counts, words })
    }
}

/// Bits from the lowest of the first byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn number(&mut self, bits: usize) -> Result<usize, Refused> {
        let mut number = 0;
        for place in 0..bits {
            let byte = *self.bytes.get(self.at / 8).ok_or(Refused::Wrong)?;
            number |= usize::from(byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Ok(number)
    }

    fn word(&mut self, code: &Code) -> Result<usize, Refused> {
        let (mut found, mut first, mut index) = (0, 0, 0);
        for count in &code.counts[1..] {
            found = 2 * found + self.number(1)?;
            first *= 2;
            if found < first + count {
                return Ok(code.words[index + found - first]);
            }
            index += count;
            first += count;
        }
        Err(Refused::Wrong)
    }

    fn blocks(&mut self) -> Result<Vec<u8>, Refused> {
        let mut plain = Vec::new();
        loop {
            let is_last = self.number(1)? == 1;
            match self.number(2)? {
                0 => self.verbatim(&mut plain)?,
                1 => {
                    let lengths: Vec<usize> = [(144, 8), (112, 9), (24, 7), (8, 8)]
                        .iter()
                        .flat_map(|(count, len)| vec![*len; *count])
                        .collect();
                    self.packed(&mut plain, &Code::new(&lengths, false)?, &Code::new(&[5; 32], false)?)?;
                }
                2 => {
                    let (letters, distances) = self.codes()?;
                    self.packed(&mut plain, &letters, &distances)?;
                }
                _ => return Err(Refused::Wrong),
            }
            if is_last {
                return Ok(plain);
            }
        }
    }

    fn verbatim(&mut self, plain: &mut Vec<u8>) -> Result<(), Refused> {
        self.at = self.at.next_multiple_of(8);
        let (len, check) = (self.number(16)?, self.number(16)?);
        let at = self.at / 8;
        let bytes = self.bytes.get(at..at + len).filter(|_| len ^ check == 0xffff).ok_or(Refused::Wrong)?;
        plain.extend(bytes);
        self.at += 8 * len;
        if plain.len() > MOST { Err(Refused::Wrong) } else { Ok(()) }
    }

    /// The codes of letters and distances that a block brings.
    fn codes(&mut self) -> Result<(Code, Code), Refused> {
        let (letters, distances) = (257 + self.number(5)?, 1 + self.number(5)?);
        let named = 4 + self.number(4)?;
        if letters > 286 || distances > 30 {
            return Err(Refused::Wrong);
        }
        let mut lengths = [0; 19];
        for place in &ORDER[..named] {
            lengths[*place] = self.number(3)?;
        }
        let code = Code::new(&lengths, false)?;
        let mut lengths = Vec::new();
        while lengths.len() < letters + distances {
            let (repeated, times) = match self.word(&code)? {
                16 => (*lengths.last().ok_or(Refused::Wrong)?, 3 + self.number(2)?),
                17 => (0, 3 + self.number(3)?),
                18 => (0, 11 + self.number(7)?),
                len => (len, 1),
            };
            lengths.extend(vec![repeated; times]);
        }
        if lengths.len() > letters + distances {
            return Err(Refused::Wrong);
        }
        let (letters, distances) = lengths.split_at(letters);
        Ok((Code::new(letters, true)?, Code::new(distances, true)?))
    }

    fn packed(&mut self, plain: &mut Vec<u8>, letters: &Code, distances: &Code) -> Result<(), Refused> {
        while plain.len() <= MOST {
            let len = match self.word(letters)? {
                letter @ 0..=255 => {
                    plain.push(u8::try_from(letter).unwrap());
                    continue;
                }
                256 => return Ok(()),
                word @ 257..=264 => word - 254,
                word @ 265..=284 => {
                    let bits = (word - 261) / 4;
                    3 + ((4 + (word - 265) % 4) << bits) + self.number(bits)?
                }
                285 => 258,
                _ => return Err(Refused::Wrong),
            };
            let distance = match self.word(distances)? {
                word @ 0..=3 => 1 + word,
                word @ 4..=29 => {
                    let bits = (word - 2) / 2;
                    1 + ((2 + word % 2) << bits) + self.number(bits)?
                }
                _ => return Err(Refused::Wrong),
            };
            let from = plain.len().checked_sub(distance).ok_or(Refused::Wrong)?;
            for at in from..from + len {
                plain.push(plain[at]);
            }
        }
        Err(Refused::Wrong)
    }
}
