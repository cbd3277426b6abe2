//! Messages made up by proptest.

use bindery_syncml::{
    Add, Alert, Atomic, Chal, Command, Content, Cred, Data, Delete, Get, Item, Meta, Options,
    Replace, Results, Sequence, Source, Status, Sync, SyncMl, Target, Text, WriteOptions,
};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::encoded;

fn text() -> impl Strategy<Value = Text> {
    "[ -~\u{a0}-\u{2fff}\r\n]{0,40}".prop_map(Text::from)
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        text().prop_map(Content::Text),
        "[ -~\r\n]{0,40}".prop_map(|text| Content::Opaque(Bytes::from(text))),
        of(1_u64..9).prop_map(|size| {
            let format = Some("int".into());
            Content::Meta(Box::new(Meta { format, size, ..Meta::default() }))
        }),
    ]
}

fn data() -> impl Strategy<Value = Data> {
    content().prop_map(Data::from)
}

fn meta() -> impl Strategy<Value = Option<Box<Meta>>> {
    let fields = (
        of(text()),
        of(text()),
        of(any::<u64>()),
        vec(text(), 0..2),
        of(content().prop_filter("plain", |c| matches!(c, Content::Text(_) | Content::Opaque(_)))),
    );
    of(fields.prop_map(|(format, kind, size, emi, next_nonce)| {
        Box::new(Meta { format, kind, size, emi, next_nonce, ..Meta::default() })
    }))
}

fn target() -> impl Strategy<Value = Option<Target>> {
    let fields = (text(), of(text()));
    of(fields.prop_map(|(loc_uri, loc_name)| Target { loc_uri, loc_name, ..Target::default() }))
}

fn item() -> impl Strategy<Value = Item> {
    (target(), of(text()), meta(), of(data()), any::<bool>()).prop_map(
        |(target, source, meta, data, more_data)| Item {
            target,
            source: source.map(|loc_uri| Source { loc_uri, ..Source::default() }),
            meta,
            data,
            more_data,
            ..Item::default()
        },
    )
}

fn simple() -> impl Strategy<Value = Command> {
    let parts = (0_u8..7, text(), any::<bool>(), meta(), vec(item(), 0..3), data());
    parts.prop_map(|(kind, cmd_id, no_resp, meta, items, data)| match kind {
        0 => Add { cmd_id, no_resp, meta, items, ..Add::default() }.into(),
        1 => Delete { cmd_id, no_resp, archive: true, items, ..Delete::default() }.into(),
        2 => Get { cmd_id, no_resp, meta, items, ..Get::default() }.into(),
        3 => Replace { cmd_id, no_resp, items, ..Replace::default() }.into(),
        4 => Results { cmd_id, meta, items, ..Results::default() }.into(),
        5 => Alert { cmd_id, no_resp, data: Some(data), items, ..Alert::default() }.into(),
        _ => {
            let chal = meta.map(|meta| Box::new(Chal { meta: *meta, ..Chal::default() }));
            let target_refs = vec![cmd_id.clone(); items.len()];
            Status { cmd_id, chal, data, items, target_refs, ..Status::default() }.into()
        }
    })
}

fn command() -> impl Strategy<Value = Command> {
    simple().prop_recursive(3, 12, 3, |inner| {
        (0_u8..3, text(), vec(inner, 0..3)).prop_map(|(kind, cmd_id, commands)| match kind {
            0 => Atomic { cmd_id, commands, ..Atomic::default() }.into(),
            1 => Sequence { cmd_id, commands, ..Sequence::default() }.into(),
            _ => Sync { cmd_id, commands, number_of_changes: Some(1), ..Sync::default() }.into(),
        })
    })
}

prop_compose! {
    fn message()(
        version in 0_usize..3,
        session_id in text(),
        meta in meta(),
        cred in of(data()),
        commands in vec(command(), 0..4),
        is_final in any::<bool>(),
    ) -> SyncMl {
        let mut message = SyncMl::default();
        message.hdr.ver_dtd = ["1.0", "1.1", "1.2"][version].into();
        message.hdr.session_id = session_id;
        message.hdr.meta = meta;
        message.hdr.cred = cred.map(|data| Box::new(Cred { data, ..Cred::default() }));
        message.body.commands = commands;
        message.body.is_final = is_final;
        message
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(message in message()) {
        let mut read = Vec::new();
        for options in [WriteOptions::XML, WriteOptions::WBXML] {
            let written = encoded(&message, &options);
            let again = SyncMl::decode(&written, &Options::LENIENT).unwrap();
            prop_assert_eq!(&again, &message, "{:?}", written);
            prop_assert_eq!(message.encoded_len(&options), written.len());
            read.push(again);
        }
        prop_assert_eq!(&read[0], &read[1]);
    }

    #[test]
    fn any_octets_give_a_message_or_an_error(octets in vec(any::<u8>(), 0..200), wbxml in any::<bool>()) {
        let head: &[u8] = if wbxml { b"\x02\xa4\x01\x6a\x00\x6d" } else { b"<SyncML>" };
        let bytes = Bytes::from([head, &octets].concat());
        if let Ok(message) = SyncMl::decode(&bytes, &Options::LENIENT) {
            let written = encoded(&message, &WriteOptions::WBXML);
            prop_assert_eq!(SyncMl::decode(&written, &Options::LENIENT).unwrap(), message);
        }
    }
}
