//! Documents of a language: its own elements, attributes and values at random, the same for the same number.

use bindery_wbxml::{
    FromXml, Language, OpaqueForm, Options, Row, WriteOptions, Writer, from_xml, to_xml,
};

/// The deepest element.
const DEPTH: u32 = 4;
/// Words of text: ASCII, markup, two and four octets a character, a variable of WML.
const WORDS: [&str; 9] =
    ["a", "text", "1", "two words", "<&>\"'", "z\u{fc}g", "\u{1f600}", "x=y;z", "$(name:unesc)"];

/// SplitMix64: a number is a seed, and the next is as good as any.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = self.below(from.len() as u64);
        from.get(usize::try_from(at).ok()?)
    }
}

/// A document of a language by its number. Every second one keeps to the first two pages of tags, so that what another
/// page makes different hides nothing else.
///
/// # Errors
/// The writer refuses it, which is a fault of this generator or of the writer.
pub(super) fn document(language: &Language, number: u32) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut random = Random(u64::from(number));
    let last = if number.is_multiple_of(2) { u8::MAX } else { 1 };
    let options = WriteOptions::new(language);
    let mut writer = Writer::new(&mut out, &options);
    match root(language).or_else(|| random.pick(language.tags())) {
        Some(row) => writer.start_tag(row.page(), row.token()),
        None => writer.start_element(language.root()),
    }
    // DRMREL declares its prefixes by attributes; the values of its table are in the same order.
    for (start, value) in language.attributes().iter().zip(language.values()) {
        if start.name().starts_with("xmlns:") {
            writer.attribute(start.name(), value.name());
        }
    }
    for _ in 0..random.below(4) + 1 {
        element(language, &mut random, (1, last), &mut writer);
    }
    writer.end_element();
    let failed = |e: &dyn std::fmt::Display| format!("{} {number}: {e}", language.id());
    writer.finish().map_err(|e| failed(&e))?;
    // Once through XML: what the language wants as opaque data is that.
    let (mut xml, mut document) = (Vec::new(), Vec::new());
    let options = Options::STRICT.with_language(language);
    to_xml(&out, &options, &mut xml).map_err(|e| failed(&e))?;
    let from = FromXml::default().with_language(language);
    from_xml(&xml, &from, &mut document).map_err(|e| failed(&e))?;
    Ok(document)
}

/// The root as the language's table spells it (WTA 1.0 has WTAI for the root wtai), if it has it: ActiveSync's documents
/// begin with any element.
fn root(language: &Language) -> Option<&Row> {
    language.tags().iter().find(|row| row.name().eq_ignore_ascii_case(language.root()))
}

/// An element this deep, of a page that is not behind the last one.
fn element(
    language: &Language,
    random: &mut Random,
    (depth, last): (u32, u8),
    writer: &mut Writer<'_>,
) {
    let root = root(language).map(Row::name);
    let written =
        |row: &&Row| !row.is_read_only() && Some(row.name()) != root && row.page() <= last;
    let rows: Vec<&Row> = language.tags().iter().filter(written).collect();
    let Some(row) = random.pick(&rows) else { return };
    writer.start_tag(row.page(), row.token());
    attributes(language, random, writer);
    let plain = row.form() == OpaqueForm::Text;
    match random.below(3) {
        0 if depth < DEPTH => {
            for _ in 0..random.below(4) {
                element(language, random, (depth + 1, last), writer);
            }
        }
        1 if plain => {
            if let Some(word) = random.pick(&WORDS) {
                writer.text(word);
            }
        }
        _ => {}
    }
    writer.end_element();
}

/// Up to three attributes of different names; a value is the start's own, else values of the language and words, and a date
/// where the language wants one.
fn attributes(language: &Language, random: &mut Random, writer: &mut Writer<'_>) {
    let mut names: Vec<&str> = Vec::new();
    for _ in 0..random.below(4) {
        let Some(row) = random.pick(language.attributes()) else { return };
        if row.is_read_only() || names.contains(&row.name()) {
            continue;
        }
        // A prefix is declared at the root; a default namespace is what few documents have as an attribute.
        if row.name().starts_with("xmlns:") || (row.name() == "xmlns" && random.below(20) > 0) {
            continue;
        }
        names.push(row.name());
        if row.form() == OpaqueForm::DateTime {
            let hour = random.below(24);
            writer.attribute(row.name(), &format!("1999-04-30T{hour:02}:40:00Z"));
            continue;
        }
        let mut value = row.value().to_owned();
        if random.below(2) == 0 {
            value += random.pick(language.values()).map_or("", Row::name);
        }
        if random.below(2) == 0 {
            value += random.pick(&WORDS).map_or("", |word| *word);
        }
        writer.attribute(row.name(), &value);
    }
}
