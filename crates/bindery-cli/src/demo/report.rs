//! The demonstration's account: a line a step, and what they come to.

use serde_json::{Value, json};

use crate::{
    error::{Exit, Failure, Layer, Result},
    output::{self, Document, Format, Output},
};

/// What has happened so far.
#[derive(Debug)]
pub(super) struct Report {
    output: Output,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    ok: bool,
    said: String,
}

impl Report {
    /// Nothing yet.
    pub(super) const fn new(output: Output) -> Self {
        Self { output, steps: Vec::new() }
    }

    /// Says what is going to happen.
    pub(super) fn title(&self, text: &str) {
        if self.output.format == Format::Table {
            output::say(&output::clean(text));
        }
    }

    /// Tells how a step went.
    pub(super) fn step(&mut self, name: &'static str, outcome: Result<String, String>) {
        let (ok, said) = match outcome {
            Ok(said) => (true, said),
            Err(said) => (false, said),
        };
        let step = Step { name, ok, said };
        if self.output.format == Format::Table {
            output::say(&line(self.steps.len() + 1, &step));
        }
        self.steps.push(step);
    }

    /// Tells what the steps come to.
    ///
    /// # Errors
    /// A step failed.
    pub(super) fn finish(self) -> Result<()> {
        let failed = self.steps.iter().filter(|step| !step.ok).count();
        let good = self.steps.len() - failed;
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| json!({ "name": step.name, "ok": step.ok, "said": step.said }))
            .collect();
        let summary = format!("{good} steps ok, {failed} failed");
        Document::new(json!({ "steps": steps, "ok": good, "failed": failed }), summary.clone())
            .print(&self.output)?;
        if failed == 0 {
            return Ok(());
        }
        let names = self.steps.iter().filter(|step| !step.ok).map(|step| step.name);
        let names = names.collect::<Vec<_>>().join(", ");
        Err(Failure::new(Exit::Protocol, Layer::Profile, format!("{summary}: {names}"))
            .hint("bindery demo -vv shows every message"))
    }
}

fn line(number: usize, step: &Step) -> String {
    use anstyle::AnsiColor::{Green, Red};

    let (word, colour) = if step.ok { ("ok", Green) } else { ("FAILED", Red) };
    let style = colour.on_default().bold();
    let said = output::clean(&step.said);
    format!("{number:>3}  {:<34} {style}{word:<6}{style:#}  {said}", step.name)
}
