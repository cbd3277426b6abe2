//! The list of deviations: where libwbxml is not followed, and why.

use std::{collections::BTreeSet, fmt, fs, path::Path};

use bindery_wbxml::Language;

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// WBXML to XML.
    ToXml,
    /// XML to WBXML.
    FromXml,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToXml => "to-xml",
            Self::FromXml => "from-xml",
        })
    }
}

/// What the list says of a generated document that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listed {
    /// Nothing.
    No,
    /// Why it differs.
    Yes,
    /// That it must not differ once our XML is spelled as libwbxml spells it.
    Spelled(Spelling),
    /// That both WBXML documents must read as the same XML.
    SameXml,
}

/// How libwbxml spells what is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelling {
    /// What its namespaces begin with, if they are not ours; the name in small letters follows.
    namespaces: Option<String>,
    /// Namespaces of ours, and what it has instead of the name in small letters.
    except: Vec<(String, String)>,
    /// Words of ours, and its.
    words: Vec<(String, String)>,
}

impl Spelling {
    /// Its XML with the words as we spell them.
    pub(super) fn undo_words(&self, xml: &str) -> String {
        self.words.iter().fold(xml.to_owned(), |xml, (ours, its)| xml.replace(its, ours))
    }

    /// Our XML with the namespaces as libwbxml writes them.
    pub(super) fn namespaces(&self, xml: &str, language: &Language) -> String {
        let mut xml = xml.to_owned();
        if let Some(prefix) = &self.namespaces {
            for name in language.namespaces().iter().map(|namespace| namespace.name()) {
                let except = self.except.iter().find(|(ours, _)| ours == name);
                let small = || name.trim_end_matches(':').to_lowercase();
                let its = except.map_or_else(small, |(_, its)| its.clone());
                xml = xml.replace(&format!("\"{name}\""), &format!("\"{prefix}{its}\""));
            }
        }
        xml
    }
}

/// A row of the list.
#[derive(Debug)]
struct Row {
    direction: String,
    /// What the difference looks like: the line that tells of it has one of these; none: whatever it looks like.
    shows: Vec<String>,
    spelling: Option<Spelling>,
    same_xml: bool,
    /// A file's folder and name, or the languages of generated documents.
    subject: Subject,
    seen: bool,
}

#[derive(Debug)]
enum Subject {
    Document(String),
    /// Generated documents of these languages whose XML has one of these texts.
    Generated {
        languages: BTreeSet<String>,
        texts: Vec<String>,
    },
}

/// The list, and which rows were needed.
#[derive(Debug)]
pub(super) struct Deviations {
    rows: Vec<Row>,
    /// The files and languages that were compared: only their rows can be out of date.
    compared: BTreeSet<String>,
}

impl Deviations {
    /// Reads the list.
    ///
    /// # Errors
    /// It cannot be read, or a row lacks a field or the reason.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let failed = |what: String| format!("{}: {what}", file.display());
        let text = fs::read_to_string(file).map_err(|e| failed(e.to_string()))?;
        let table: toml::Table =
            text.parse().map_err(|e: toml::de::Error| failed(e.to_string()))?;
        let rows = table.get("deviation").and_then(toml::Value::as_array);
        let rows = rows.into_iter().flatten().map(row).collect::<Result<_, _>>().map_err(failed)?;
        Ok(Self { rows, compared: BTreeSet::new() })
    }

    /// Notes that a document was compared; true if it is listed. The row is needed if the document `differs`.
    pub(super) fn document(&mut self, direction: Direction, name: &str, differs: bool) -> bool {
        self.compared.insert(name.to_owned());
        let direction = direction.to_string();
        let mut rows = self.rows.iter_mut().filter(|row| row.direction == direction);
        let row = rows.find(|row| matches!(&row.subject, Subject::Document(file) if file == name));
        row.is_some_and(|row| {
            row.seen |= differs;
            true
        })
    }

    /// What the list says of a generated document with this XML, which differs in this way.
    pub(super) fn generated(
        &mut self,
        direction: Direction,
        id: &str,
        xml: &str,
        reason: &str,
    ) -> Listed {
        let direction = direction.to_string();
        let mut listed = Listed::No;
        for row in self.rows.iter_mut().filter(|row| row.direction == direction) {
            let Subject::Generated { languages, texts } = &row.subject else { continue };
            let shows = row.shows.iter().any(|shows| reason.contains(shows));
            if !(shows || row.shows.is_empty())
                || !languages.contains(id)
                || !texts.iter().any(|text| xml.contains(text))
            {
                continue;
            }
            row.seen = true;
            match &row.spelling {
                Some(spelling) => listed = Listed::Spelled(spelling.clone()),
                None if row.same_xml => return Listed::SameXml,
                None => return Listed::Yes,
            }
        }
        listed
    }

    /// Notes that all documents of a language were compared.
    pub(super) fn covered(&mut self, id: &str) {
        self.compared.insert(id.to_owned());
    }

    /// The rows of what was compared that no document needed.
    pub(super) fn gone(&self) -> Vec<String> {
        let compared = |row: &&Row| match &row.subject {
            Subject::Document(name) => self.compared.contains(name),
            Subject::Generated { languages, .. } => languages.is_subset(&self.compared),
        };
        let rows = self.rows.iter().filter(|row| !row.seen).filter(compared);
        rows.map(|row| format!("listed, but no longer there: {} {:?}", row.direction, row.subject))
            .collect()
    }
}

fn row(value: &toml::Value) -> Result<Row, String> {
    let field = |name: &str| value.get(name).and_then(toml::Value::as_str).map(str::to_owned);
    let needed = |name: &str| {
        field(name).filter(|text| !text.is_empty()).ok_or_else(|| format!("no {name} in {value}"))
    };
    let list = |name: &str| -> Result<Vec<String>, String> {
        let items = value.get(name).and_then(toml::Value::as_array).into_iter().flatten();
        let items: Vec<_> = items.filter_map(toml::Value::as_str).map(str::to_owned).collect();
        if items.is_empty() { Err(format!("no {name} in {value}")) } else { Ok(items) }
    };
    needed("reason")?;
    let subject = match field("document") {
        Some(document) => Subject::Document(document),
        None => Subject::Generated {
            languages: list("languages")?.into_iter().collect(),
            texts: list("texts")?,
        },
    };
    let pairs = |name: &str| -> Vec<(String, String)> {
        let table = value.get(name).and_then(toml::Value::as_table).into_iter().flatten();
        table.map(|(ours, its)| (ours.clone(), its.as_str().unwrap_or("").to_owned())).collect()
    };
    let spelling = Spelling {
        namespaces: field("namespaces"),
        except: pairs("except"),
        words: pairs("spelled"),
    };
    let spelled = spelling.namespaces.is_some() || !spelling.words.is_empty();
    Ok(Row {
        direction: needed("direction")?,
        shows: if value.get("shows").is_some() { list("shows")? } else { Vec::new() },
        spelling: spelled.then_some(spelling),
        same_xml: value.get("same_xml").and_then(toml::Value::as_bool).unwrap_or(false),
        subject,
        seen: false,
    })
}
