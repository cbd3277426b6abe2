//! What the device says: its commands one after the other.

use std::collections::BTreeSet;

use bindery_syncml::{
    Alert, AlertCode, Command, Content, Item, Replace, Results, StatusCode, Text,
};
use bytes::Bytes;

use super::{Abort, Turn, objects::Piece};
use crate::service::{ResultKind, state::Receiving};

/// Whether a protocol is spoken here: device management, and of data synchronization the header and
/// authentication, so that its clients are told what is not there in their own words.
pub(super) fn speaks(ver_proto: &str) -> bool {
    let known = |name: &str| ver_proto.strip_prefix(name).is_some_and(|v| v.starts_with("1."));
    known("DM/") || known("SyncML/")
}

impl Turn<'_> {
    /// Takes the message's commands. Of a session that is broken off none is carried out.
    pub(super) fn take(&mut self) {
        let incoming = self.scene.incoming;
        if let Some(fault) = &incoming.fault {
            // What the device answered is not known: its commands stay open and are tried again,
            // alone, until they are given up.
            self.status = StatusCode::BAD_REQUEST;
            let text = format!("the device's message {} cannot be read: {fault}", self.msg_id);
            self.record(ResultKind::Session, |entry| entry.data = text.into());
            return;
        }
        let most = self.scene.config.client_commands;
        let commands = &incoming.message.body.commands;
        if commands.len() > most {
            self.status = StatusCode::REQUEST_ENTITY_TOO_LARGE;
        }
        let mut seen = BTreeSet::new();
        for command in commands.iter().take(most) {
            let Some(tag) = command.tag() else { continue };
            let cmd_id = command.cmd_id().map(Text::as_str).unwrap_or_default();
            // A CmdID is never 0, and stands for one command of a message.
            let numbered = !cmd_id.is_empty() && cmd_id != "0" && seen.insert(cmd_id);
            let answers = matches!(command, Command::Status(_) | Command::Results(_));
            if !numbered && !answers {
                self.owe_for(command, tag.name(), StatusCode::BAD_REQUEST);
            } else if self.abort.is_some() {
                if !answers {
                    self.owe_for(command, tag.name(), StatusCode::NOT_EXECUTED);
                }
            } else {
                self.take_one(command, tag.name());
            }
        }
    }

    fn take_one(&mut self, command: &Command, name: &str) {
        if self.take_sync(command, name) {
            return;
        }
        match command {
            Command::Status(status) => self.answered(status),
            Command::Results(results) => match self.take_piece(command, name) {
                // A Results is answered only where it comes in pieces.
                Piece::None => self.results_of(results),
                Piece::Taken => {}
                Piece::Whole(receiving, octets) => {
                    self.owe_for(command, name, StatusCode::OK);
                    self.whole_results(receiving, octets);
                }
            },
            Command::Replace(replace) => match self.take_piece(command, name) {
                Piece::None => {
                    let code = self.replace(replace);
                    self.owe_unless(replace.no_resp, command, name, code);
                }
                Piece::Taken => {}
                Piece::Whole(receiving, octets) => {
                    let code = self.told(&receiving.uri, &octets);
                    self.owe_for(command, name, code);
                }
            },
            Command::Alert(alert) => match self.take_piece(command, name) {
                Piece::None => {
                    let code = self.alerted(alert);
                    self.owe_unless(alert.no_resp, command, name, code);
                }
                Piece::Taken => {}
                Piece::Whole(receiving, octets) => {
                    self.owe_for(command, name, StatusCode::OK);
                    self.note_alert(&label(alert), &receiving.uri, &octets);
                }
            },
            // A device sends Replace, Results, Alert and Status, and nothing else.
            _ => {
                self.miss_end();
                self.refuse_command(command, name);
            }
        }
    }

    fn refuse_command(&mut self, command: &Command, name: &str) {
        let synchronization = matches!(
            command,
            Command::Put(_) | Command::Sync(_) | Command::Map(_) | Command::Search(_)
        );
        let code = if synchronization {
            StatusCode::OPTIONAL_FEATURE_NOT_SUPPORTED
        } else {
            StatusCode::COMMAND_NOT_ALLOWED
        };
        self.owe_for(command, name, code);
        // One level is enough: what stands deeper is part of what is refused.
        for (inner, tag) in command.commands().iter().filter_map(|one| Some((one, one.tag()?))) {
            self.owe_for(inner, tag.name(), StatusCode::NOT_EXECUTED);
        }
    }

    fn owe_unless(&mut self, no_resp: bool, command: &Command, name: &str, code: StatusCode) {
        if !no_resp {
            self.owe_for(command, name, code);
        }
    }

    /// A Replace of a device tells of itself: `./DevInfo`, and nothing else.
    fn replace(&mut self, replace: &Replace) -> StatusCode {
        let of_command = replace.meta.as_ref().and_then(|meta| meta.format.as_deref());
        let mut worst = StatusCode::OK;
        for item in &replace.items {
            let source = item.source.as_ref().map(|source| source.loc_uri.as_str());
            let uri = source.or_else(|| item.uri()).unwrap_or_default();
            let format = item.meta.as_ref().and_then(|meta| meta.format.as_deref());
            let format = format.or(of_command);
            // A node's children are told by the nodes themselves.
            let code = if format == Some("node") {
                StatusCode::OK
            } else {
                let content = item.data.as_ref().map(|data| &data.content);
                let octets = content.and_then(|content| content.octets(format));
                self.told(uri, &octets.unwrap_or_default())
            };
            if !code.is_success() {
                worst = code;
            }
        }
        worst
    }

    /// A value that the device tells unasked.
    fn told(&mut self, uri: &str, octets: &Bytes) -> StatusCode {
        let uri = uri.strip_prefix("./").unwrap_or(uri);
        let Some(path) = uri.strip_prefix("DevInfo/").filter(|path| !path.is_empty()) else {
            return StatusCode::COMMAND_NOT_ALLOWED;
        };
        let config = self.scene.config;
        let Ok(value) = std::str::from_utf8(octets) else { return StatusCode::BAD_REQUEST };
        let known = self.device.dev_info.get(path);
        if known.is_some_and(|known| known == value) {
            return StatusCode::OK;
        }
        let full = known.is_none() && self.device.dev_info.len() >= config.dev_info;
        if full || value.len().max(path.len()) > config.dev_info_octets {
            return StatusCode::REQUEST_ENTITY_TOO_LARGE;
        }
        self.device.dev_info.insert(path.to_owned(), value.to_owned());
        self.device_changed = true;
        let (uri, value) = (format!("./DevInfo/{path}"), octets.clone());
        self.record(ResultKind::Replace, |entry| (entry.uri, entry.data) = (uri, value));
        StatusCode::OK
    }

    fn alerted(&mut self, alert: &Alert) -> StatusCode {
        match alert.code() {
            Some(
                AlertCode::SERVER_INITIATED_MANAGEMENT | AlertCode::CLIENT_INITIATED_MANAGEMENT,
            ) => StatusCode::OK,
            Some(AlertCode::NEXT_MESSAGE | AlertCode::DS_NEXT_MESSAGE) => {
                self.asks_next = true;
                StatusCode::OK
            }
            Some(AlertCode::SESSION_ABORT) => {
                self.break_off(Abort::Theirs);
                StatusCode::OK
            }
            Some(AlertCode::NO_END_OF_DATA) => {
                self.piece_missed();
                StatusCode::OK
            }
            Some(AlertCode::CLIENT_EVENT | AlertCode::GENERIC_ALERT) => {
                self.note_items(alert);
                StatusCode::OK
            }
            // 1100 to 1104 go the other way; those of data synchronization are not spoken here.
            Some(_) => StatusCode::OPTIONAL_FEATURE_NOT_SUPPORTED,
            None => StatusCode::BAD_REQUEST,
        }
    }

    /// Writes an alert of the device into its history, an entry for each item.
    fn note_items(&mut self, alert: &Alert) {
        let nothing = [Item::default()];
        let items = if alert.items.is_empty() { &nothing[..] } else { &alert.items };
        for item in items {
            let kind = item.meta.as_ref().and_then(|meta| meta.kind.as_deref());
            let format = item.meta.as_ref().and_then(|meta| meta.format.as_deref());
            let content = item.data.as_ref().map(|data| &data.content);
            let octets = content.map(|content| octets_of(content, format)).unwrap_or_default();
            let said = kind.map_or_else(|| label(alert), |kind| format!("{} {kind}", label(alert)));
            self.note_alert(&said, item.uri().unwrap_or_default(), &octets);
        }
    }

    fn note_alert(&mut self, label: &str, uri: &str, octets: &[u8]) {
        let separator = if octets.is_empty() { "" } else { ": " };
        let data = [label.as_bytes(), separator.as_bytes(), octets].concat();
        let uri = uri.to_owned();
        self.record(ResultKind::Alert, |entry| (entry.uri, entry.data) = (uri, data.into()));
    }

    /// The values that a Get asked for.
    fn results_of(&mut self, results: &Results) {
        let msg_ref = results.msg_ref.as_deref().unwrap_or_default();
        let command = self.command_of(msg_ref, &results.cmd_ref);
        let of_command = results.meta.as_ref().and_then(|meta| meta.format.as_deref());
        for item in &results.items {
            let format = item.meta.as_ref().and_then(|meta| meta.format.as_deref());
            let content = item.data.as_ref().map(|data| &data.content);
            let octets = content.map(|content| octets_of(content, format.or(of_command)));
            let source = item.source.as_ref().map(|source| source.loc_uri.as_str());
            let uri = source.or_else(|| item.uri()).or(results.source_ref.as_deref());
            let (id, uri) = (command.clone(), uri.unwrap_or_default().to_owned());
            self.record(ResultKind::Results, |entry| {
                (entry.command, entry.uri) = (id, uri);
                entry.data = octets.unwrap_or_default();
            });
        }
    }

    fn whole_results(&mut self, receiving: Receiving, octets: Bytes) {
        let command = self.command_of(&receiving.msg_ref, &receiving.cmd_ref);
        self.record(ResultKind::Results, |entry| {
            (entry.command, entry.uri, entry.data) = (command, receiving.uri, octets);
        });
    }
}

/// What an alert is, in words.
fn label(alert: &Alert) -> String {
    alert.code().map_or_else(|| "an alert without a code".to_owned(), |code| code.to_string())
}

/// Data as octets: text, octets, or text in Base64 as the format says. Elements have no octets of
/// their own; of them is kept what a debugger says.
fn octets_of(content: &Content, format: Option<&str>) -> Bytes {
    content
        .octets(format)
        .or_else(|| content.octets(None))
        .unwrap_or_else(|| Bytes::from(format!("{content:?}")))
}
