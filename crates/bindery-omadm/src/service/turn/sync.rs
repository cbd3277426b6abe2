//! Refreshes of data stores: what of data synchronization is answered (SyncML DS Protocol 1.2).
//!
//! The client's first package says what it wants (Alert 201, 203 or 205), the server's first agrees; then
//! comes what the client has, and what the server has. What lasts between two messages is in the
//! session's state, the items are with [`Datastores`].

use std::sync::Arc;

use bindery_syncml::{
    Add, Alert, AlertCode, Anchor, Command, Content, DataStore, DevInf, Get, Item, Map, Meta,
    Results, RxPref, StatusCode, Sync, SyncCap, Text, TxPref, Version,
};

use super::{
    Turn,
    compose::{Draft, Unfit},
};
use crate::plain::plain;
use crate::service::{
    Datastores, ResultKind, SyncItem, SyncKind, Whose,
    state::{Asking, Syncing},
};

/// The most stores that a session refreshes.
const STORES: usize = 16;

/// How many items are read at once.
const PAGE: usize = 64;

/// The longest identifier of an item, in octets.
const IDENTIFIER: usize = 255;

/// What an alert asks for, if it is there.
const fn kind_of(code: AlertCode) -> Option<SyncKind> {
    Some(match code.0 {
        201 => SyncKind::Slow,
        203 => SyncKind::FromClient,
        205 => SyncKind::FromServer,
        _ => return None,
    })
}

impl Turn<'_> {
    /// Who keeps the items, if the client speaks of data synchronization and there is something to
    /// synchronize with.
    pub(super) fn synchronizes(&self) -> Option<Arc<dyn Datastores>> {
        let speaks = self.scene.hdr().ver_proto.starts_with("SyncML/");
        self.scene.config.datastores.as_ref().filter(|_| speaks).map(Arc::clone)
    }

    /// Takes a command of data synchronization. Whether it is one that is answered here.
    pub(super) fn take_sync(&mut self, command: &Command, name: &str) -> bool {
        let Some(stores) = self.synchronizes() else { return false };
        match command {
            // What the client tells of itself: its stores and types. Nothing depends on it.
            Command::Put(_) => self.owe_for(command, name, StatusCode::OK),
            Command::Get(get) => {
                let code = self.ask_about(get);
                self.owe_for(command, name, code);
            }
            Command::Alert(alert) if alert.code().is_some_and(|code| code.0 / 10 == 20) => {
                self.sync_wanted(&*stores, command, alert);
            }
            Command::Sync(sync) => self.sync(&*stores, command, sync),
            Command::Map(map) => {
                let code = self.mapped(&*stores, map);
                self.owe_for(command, name, code);
            }
            _ => return false,
        }
        true
    }

    /// A Get: of what this server is, and of nothing else.
    fn ask_about(&mut self, get: &Get) -> StatusCode {
        let [item] = get.items.as_slice() else { return StatusCode::INCOMPLETE_COMMAND };
        let uri = bare(item.uri().unwrap_or_default());
        if !uri.starts_with("devinf1") || self.state.devinf.len() >= STORES {
            return StatusCode::NOT_FOUND;
        }
        let msg = self.scene.hdr().msg_id.to_string();
        self.state.devinf.push(Asking { msg, cmd: get.cmd_id.to_string() });
        StatusCode::OK
    }

    /// An Alert that wants a store synchronized.
    fn sync_wanted(&mut self, stores: &dyn Datastores, command: &Command, alert: &Alert) {
        let item = alert.items.first();
        let next = item.and_then(|item| item.meta.as_ref()?.anchor.as_ref());
        let next = next.map(|anchor| anchor.next.to_string());
        let code = match (alert.code().and_then(kind_of), item) {
            (Some(kind), Some(item)) => self.begin_sync(stores, kind, alert, item),
            (_, None) => StatusCode::INCOMPLETE_COMMAND,
            _ => StatusCode::OPTIONAL_FEATURE_NOT_SUPPORTED,
        };
        let owed = self.owed.len();
        self.owe_for(command, "Alert", code);
        if let Some(status) = self.owed.get_mut(owed).filter(|_| code.is_success()) {
            status.anchor = next;
        }
    }

    fn begin_sync(
        &mut self,
        stores: &dyn Datastores,
        kind: SyncKind,
        alert: &Alert,
        item: &Item,
    ) -> StatusCode {
        let target = item.target.as_ref().map(|target| target.loc_uri.as_str());
        let store = bare(target.unwrap_or_default()).to_owned();
        if !stores.stores().iter().any(|one| one.address == store) {
            return StatusCode::NOT_FOUND;
        }
        self.state.syncing.retain(|one| one.store != store);
        if self.state.syncing.len() >= STORES {
            return StatusCode::REQUEST_ENTITY_TOO_LARGE;
        }
        let may = stores.may_begin(&Whose::new(&self.device, &store), kind);
        if !may.is_success() {
            return may;
        }
        // Once what was decided lasts.
        self.begun.push((store.clone(), kind));
        let code = alert.code().map_or(0, |code| code.0);
        let theirs = item.source.as_ref().map(|source| source.loc_uri.to_string());
        let theirs = theirs.unwrap_or_default();
        let begun = Syncing { store, theirs, code, ..Syncing::default() };
        self.state.syncing.push(begun);
        StatusCode::OK
    }

    /// What the client has.
    fn sync(&mut self, stores: &dyn Datastores, command: &Command, sync: &Sync) {
        let target = sync.target.as_ref().map(|target| target.loc_uri.as_str());
        let store = bare(target.unwrap_or_default()).to_owned();
        let wanted = self.state.syncing.iter().find(|one| one.store == store && one.told);
        let code = match wanted.and_then(|one| kind_of(AlertCode(one.code))) {
            None => StatusCode::NOT_FOUND,
            // What the client has does not count, if it is to get everything.
            Some(SyncKind::FromServer) if !sync.commands.is_empty() => {
                StatusCode::COMMAND_NOT_ALLOWED
            }
            Some(_) => StatusCode::OK,
        };
        let cmd = sync.cmd_id.to_string();
        let source = sync.source.as_ref().map(|source| source.loc_uri.to_string());
        self.owe(&cmd, "Sync", code, target.map(str::to_owned), source);
        let mut kept = 0_usize;
        for inner in &sync.commands {
            let Some(tag) = inner.tag() else { continue };
            let done = match code.is_success() {
                true => self.sync_item(stores, &store, inner),
                false => StatusCode::NOT_EXECUTED,
            };
            kept += usize::from(done.is_success());
            self.owe_for(inner, tag.name(), done);
        }
        if !command.commands().is_empty() {
            let text = format!("{store}: {kept} of {} changes were taken", sync.commands.len());
            self.record(ResultKind::Session, |entry| {
                (entry.uri, entry.data) = (format!("./{store}"), text.into());
            });
        }
    }

    /// One change of the client's; all of its items, until one fails.
    fn sync_item(&self, stores: &dyn Datastores, store: &str, command: &Command) -> StatusCode {
        let (items, meta) = match command {
            Command::Add(add) => (&add.items, &add.meta),
            Command::Replace(replace) => (&replace.items, &replace.meta),
            Command::Delete(delete) => (&delete.items, &delete.meta),
            _ => return StatusCode::OPTIONAL_FEATURE_NOT_SUPPORTED,
        };
        let whose = Whose::new(&self.device, store);
        let mut code = StatusCode::INCOMPLETE_COMMAND;
        for item in items {
            let luid = item.source.as_ref().map_or("", |source| source.loc_uri.as_str());
            code = if luid.is_empty() {
                StatusCode::INCOMPLETE_COMMAND
            } else if item.more_data || luid.len() > IDENTIFIER {
                StatusCode::REQUEST_ENTITY_TOO_LARGE
            } else if matches!(command, Command::Delete(_)) {
                stores.delete(&whose, luid)
            } else {
                let of = |of: fn(&Meta) -> Option<&Text>| {
                    let item = item.meta.as_deref().and_then(of);
                    item.or_else(|| meta.as_deref().and_then(of)).map(Text::to_string)
                };
                let format = of(|meta| meta.format.as_ref());
                let content = item.data.as_ref().map(|data| &data.content);
                match content.and_then(|content| content.octets(format.as_deref())) {
                    Some(data) => {
                        let kind = of(|meta| meta.kind.as_ref());
                        stores.put(&whose, luid, SyncItem::new(kind, data))
                    }
                    None => StatusCode::UNSUPPORTED_MEDIA_TYPE_OR_FORMAT,
                }
            };
            if !code.is_success() {
                break;
            }
        }
        code
    }

    /// How the client calls what it got.
    fn mapped(&self, stores: &dyn Datastores, map: &Map) -> StatusCode {
        let store = bare(&map.target.loc_uri).to_owned();
        if !self.state.syncing.iter().any(|one| one.store == store) {
            return StatusCode::NOT_FOUND;
        }
        let whose = Whose::new(&self.device, &store);
        let mut worst = StatusCode::OK;
        for pair in &map.map_items {
            let (guid, luid) = (pair.target.loc_uri.as_str(), pair.source.loc_uri.as_str());
            let code = match guid.len().max(luid.len()) > IDENTIFIER {
                true => StatusCode::REQUEST_ENTITY_TOO_LARGE,
                false => stores.map(&whose, luid, guid),
            };
            if !code.is_success() {
                worst = code;
            }
        }
        worst
    }

    /// This side's package: what it is, that it agrees, what it has. Whether it is over.
    pub(super) fn synchronize(&mut self, stores: &dyn Datastores, draft: &mut Draft) -> bool {
        while let Some(asked) = self.state.devinf.first() {
            if !draft.say(self.dev_inf(stores, asked).into()) {
                return false;
            }
            self.state.devinf.remove(0);
            self.sync_goes_on = true;
        }
        let next = self.now().unix_micros().to_string();
        for at in 0..self.state.syncing.len() {
            let Some(one) = self.state.syncing.get_mut(at).filter(|one| !one.told) else {
                continue;
            };
            if !draft.say(agreed(one, &next).into()) {
                return false;
            }
            (one.told, self.sync_goes_on) = (true, true);
        }
        // What this side has comes when the client has said all that it has.
        if self.sync_goes_on {
            return true;
        }
        for at in 0..self.state.syncing.len() {
            let Some(mut one) = self.state.syncing.get(at).cloned() else { break };
            let done = one.done || self.send_items(stores, draft, &mut one);
            one.done = done;
            if let Some(kept) = self.state.syncing.get_mut(at) {
                *kept = one;
            }
            if !done {
                return false;
            }
        }
        true
    }

    /// Whether nothing more is to come of either side: the client has only answered.
    pub(super) fn sync_is_over(&self) -> bool {
        let mut commands = self.scene.incoming.message.body.commands.iter();
        let answers = |one: &Command| {
            matches!(one, Command::Status(_) | Command::Results(_) | Command::Map(_))
        };
        !self.sync_goes_on && commands.all(answers)
    }

    /// As many items of a store as there is room for; whether all of them were sent.
    fn send_items(
        &mut self,
        stores: &dyn Datastores,
        draft: &mut Draft,
        one: &mut Syncing,
    ) -> bool {
        if kind_of(AlertCode(one.code)) == Some(SyncKind::FromClient) {
            return true;
        }
        let mut sync = Sync {
            target: Some((&*one.theirs).into()),
            source: Some((&*one.store).into()),
            ..Sync::default()
        };
        let (frame, Ok(mut cost)) = draft.measure(sync.clone().into()) else { return true };
        drop(frame);
        let (room, mut done) = (draft.room(), false);
        let roomiest = draft.roomiest().saturating_sub(cost);
        'pages: loop {
            let whose = Whose::new(&self.device, &one.store);
            let page = stores.items(&whose, one.after.as_deref(), PAGE);
            if page.is_empty() {
                done = true;
                break;
            }
            for (guid, item) in page {
                let (add, alone) = draft.measure(added(&guid, &item));
                let alone = alone.ok().filter(|alone| *alone <= roomiest);
                match alone {
                    Some(alone) if cost + alone <= room => {
                        cost += alone;
                        sync.commands.push(add);
                    }
                    // The next message has more room.
                    Some(_) => break 'pages,
                    None => self.unsent(&one.store, &guid, item.data.len()),
                }
                one.after = Some(guid);
            }
        }
        // The first one says that it begins, even if there is nothing.
        if sync.commands.is_empty() && (one.begun || !done) {
            one.begun |= done;
            return done;
        }
        match draft.push(sync.into()) {
            Ok(_) => one.begun = true,
            Err(Unfit::TooLarge | Unfit::Encoding(_)) => return true,
        }
        done
    }

    /// An item that no message to this client can hold.
    fn unsent(&mut self, store: &str, guid: &str, octets: usize) {
        let text = format!("{octets} octets are more than a message to the device may have");
        let uri = format!("./{store}/{guid}");
        self.record(ResultKind::Session, |entry| (entry.uri, entry.data) = (uri, text.into()));
    }

    fn dev_inf(&self, stores: &dyn Datastores, asked: &Asking) -> Results {
        let version = Version::from_dtd(&self.scene.hdr().ver_dtd).unwrap_or_default();
        let digits = version.dtd();
        let inf = DevInf {
            ver_dtd: digits.into(),
            dev_id: self.scene.hdr().target.loc_uri.clone(),
            dev_typ: "server".into(),
            data_stores: stores.stores().into_iter().map(described).collect(),
            ..DevInf::default()
        };
        let uri = format!("./devinf{}", digits.replace('.', ""));
        let item = Item {
            source: Some(uri.as_str().into()),
            data: Some(Content::DevInf(Box::new(inf)).into()),
            ..Item::default()
        };
        let kind = match self.scene.incoming.answer {
            bindery_syncml::Form::Wbxml => "application/vnd.syncml-devinf+wbxml",
            _ => "application/vnd.syncml-devinf+xml",
        };
        Results {
            msg_ref: Some(asked.msg.as_str().into()),
            cmd_ref: asked.cmd.as_str().into(),
            meta: Some(Box::new(Meta { kind: Some(kind.into()), ..Meta::default() })),
            items: vec![item],
            ..Results::default()
        }
    }
}

/// An address without `./` before it.
fn bare(uri: &str) -> &str {
    uri.strip_prefix("./").unwrap_or(uri)
}

/// This side's Alert: it agrees, and names its anchor.
fn agreed(one: &Syncing, next: &str) -> Alert {
    let anchor = Anchor { next: next.into(), ..Anchor::default() };
    let meta = Meta { anchor: Some(Box::new(anchor)), ..Meta::default() };
    let item = Item {
        target: Some((&*one.theirs).into()),
        source: Some((&*one.store).into()),
        meta: Some(Box::new(meta)),
        ..Item::default()
    };
    Alert { items: vec![item], ..Alert::new("", AlertCode(one.code)) }
}

fn added(guid: &str, item: &SyncItem) -> Command {
    let mut meta = Meta { kind: item.media_type.as_deref().map(Into::into), ..Meta::default() };
    let data = match plain(&item.data) {
        Some(text) => Content::Text(text),
        None => {
            meta.format = Some("b64".into());
            Content::base64(&item.data)
        }
    };
    let item = Item { source: Some(guid.into()), data: Some(data.into()), ..Item::default() };
    let meta = (meta != Meta::default()).then(|| Box::new(meta));
    Add { meta, items: vec![item], ..Add::default() }.into()
}

fn described(store: crate::service::Datastore) -> DataStore {
    let (kind, version) = (store.media_type.as_str(), Some(store.version.as_str().into()));
    DataStore {
        source_ref: format!("./{}", store.address).as_str().into(),
        rx_pref: Some(RxPref {
            ct_type: kind.into(),
            ver_ct: version.clone(),
            ..RxPref::default()
        }),
        tx_pref: Some(TxPref { ct_type: kind.into(), ver_ct: version, ..TxPref::default() }),
        // Refresh from the client, refresh from the server.
        sync_cap: Some(SyncCap { sync_types: vec!["4".into(), "6".into()], ..SyncCap::default() }),
        ..DataStore::default()
    }
}
