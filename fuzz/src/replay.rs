//! The corpora without a fuzzer: every input whole, cut in half, and changed by dice with a seed.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Once;

/// The longest input that is made.
const MOST_BYTES: usize = 16 << 10;

/// Tries a target's corpus and `count` inputs beyond it; `SLACLOCK_INPUTS` sets another count, `SLACLOCK_SEED` where the
/// seeds begin (1 unless set). `folder` is that of the fuzzer's workspace.
///
/// # Panics
/// On the first input that `run` panics on; the message says how to have it again.
pub fn replay(folder: &Path, target: &str, count: u64, run: impl Fn(&[u8])) {
    let corpus = Corpus::read(folder, target);
    for (name, bytes) in &corpus.inputs {
        for bytes in [&bytes[..], &bytes[..bytes.len() / 2]] {
            if let Err(why) = tried(&run, bytes) {
                panic!("{target}: {name}, {} bytes of it: {why}", bytes.len());
            }
        }
    }
    let (first, count) = (number("SLACLOCK_SEED", 1), number("SLACLOCK_INPUTS", count));
    let begun = std::time::Instant::now();
    for seed in first..first.saturating_add(count) {
        let bytes = corpus.beyond(seed);
        if let Err(why) = tried(&run, &bytes) {
            let input = bytes.escape_ascii();
            panic!("{target}: SLACLOCK_SEED={seed} SLACLOCK_INPUTS=1 reproduces this: {why}\nb\"{input}\"");
        }
    }
    let inputs = corpus.inputs.len();
    println!(
        "{target}: {inputs} inputs, and {count} beyond from SLACLOCK_SEED={first} in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    assert!(inputs >= 5, "{target}: {inputs} inputs are no corpus");
}

thread_local! {
    /// While this thread tries an input: what panicked last.
    static TRYING: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Tries one input, or says what it panicked with. Panics that the library itself catches are not printed: on damaged files
/// the engine has many.
fn tried(run: &impl Fn(&[u8]), bytes: &[u8]) -> Result<(), String> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let kept = TRYING.with_borrow_mut(|last| last.as_mut().map(|last| *last = info.to_string()));
            if kept.is_none() {
                before(info);
            }
        }));
    });
    TRYING.set(Some(String::new()));
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| run(bytes)));
    let last = TRYING.take().unwrap_or_default();
    caught.map_err(|_| last)
}

fn number(name: &str, unset: u64) -> u64 {
    std::env::var(name).map_or(unset, |text| {
        text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name}=`{text}`: must be a whole number"))
    })
}

/// What a target has been found to care about.
struct Corpus {
    /// In the order of their names, which is the same everywhere.
    inputs: Vec<(String, Vec<u8>)>,
    words: Vec<Vec<u8>>,
}

impl Corpus {
    fn read(folder: &Path, target: &str) -> Corpus {
        let files = std::fs::read_dir(folder.join("corpus").join(target)).expect("a corpus");
        let mut inputs: Vec<_> = files
            .map(|file| {
                let path = file.expect("a corpus").path();
                let name = path.file_name().expect("a file").to_string_lossy().into_owned();
                (name, std::fs::read(&path).expect("an input"))
            })
            .collect();
        inputs.sort();
        let dictionary = folder.join("dictionaries").join(format!("{target}.dict"));
        let words = match std::fs::read_to_string(&dictionary) {
            Ok(text) => text.lines().filter_map(word).collect(),
            // Not every target has one.
            Err(_) => Vec::new(),
        };
        assert!(!dictionary.exists() || words.len() > 10, "{target}: a dictionary has words");
        Corpus { inputs, words }
    }

    /// One of the inputs, changed in one to eight ways.
    fn beyond(&self, seed: u64) -> Vec<u8> {
        let mut dice = Dice(seed);
        let mut bytes = dice.pick(&self.inputs).1.clone();
        for _ in 0..1 << dice.below(4) {
            self.change(&mut bytes, &mut dice);
            bytes.truncate(MOST_BYTES);
        }
        bytes
    }

    fn change(&self, bytes: &mut Vec<u8>, dice: &mut Dice) {
        if bytes.is_empty() {
            bytes.push(dice.next() as u8);
        }
        let at = dice.below(bytes.len());
        // Mostly short ranges, now and then any.
        let most = if dice.below(4) == 0 { bytes.len() } else { 16 };
        let end = (at + 1 + dice.below(most)).min(bytes.len());
        let place = dice.below(bytes.len() + 1);
        match dice.below(9) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes[at] = dice.next() as u8,
            2 => bytes[at] = *dice.pick(&[0, 1, 0x7f, 0x80, 0xff, b'0', b'9', b'"', b'\n', b'-']),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let range = bytes[at..end].to_vec();
                drop(bytes.splice(place..place, range));
            }
            5 => {
                // Another input's end after this one's beginning.
                let other = &dice.pick(&self.inputs).1;
                let from = dice.below(other.len() + 1);
                bytes.truncate(place);
                bytes.extend(&other[from..]);
            }
            6 => {
                let other = &dice.pick(&self.inputs).1;
                let from = dice.below(other.len() + 1);
                let to = (from + end - at).min(other.len());
                drop(bytes.splice(place..place, other[from..to].iter().copied()));
            }
            7 if !self.words.is_empty() => {
                // In the place of something, or between.
                let to = if dice.below(2) == 0 { end.max(place) } else { place };
                drop(bytes.splice(place..to, dice.pick(&self.words).iter().copied()));
            }
            7 => bytes.swap(at, end - 1),
            _ => {
                let size = (*dice.pick(&[2, 4, 8])).min(bytes.len() - at);
                let number =
                    *dice.pick(&[0, 1, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, i64::MAX as u64, u64::MAX]);
                bytes[at..at + size].copy_from_slice(&number.to_le_bytes()[..size]);
            }
        }
    }
}

/// A word of a dictionary's line, as libFuzzer reads it: `name="text"` or `"text"`, with `\\`, `\"` and `\xAB`.
fn word(line: &str) -> Option<Vec<u8>> {
    let quoted = line.trim().strip_suffix('"')?;
    let (_, quoted) = quoted.split_once('"').filter(|(name, _)| !name.starts_with('#'))?;
    let (mut word, mut bytes) = (Vec::new(), quoted.bytes());
    while let Some(byte) = bytes.next() {
        word.push(match byte {
            b'\\' => match bytes.next()? {
                b'x' => {
                    let digits = [bytes.next()?, bytes.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).expect("two digits")
                }
                plain => plain,
            },
            plain => plain,
        });
    }
    Some(word)
}

/// Numbers that depend on the seed alone.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}
