//! The client, against a server that says what a test wants it to say.

mod auth;
mod commands;
mod exchange;
mod limits;
mod objects;
mod server;
mod sockets;
mod start;
mod tree;

use std::collections::BTreeSet;

use bindery_omadm::{
    Incoming, Outgoing,
    client::{
        Account, Begin, Client, Conversation, DevDetail, DevInfo, SessionError, Summary, Tree,
    },
};
use bindery_syncml::{
    Alert, AlertCode, Command, Form, Meta, Options, Status, StatusCode, SyncMl, WriteOptions,
};

const SERVER: &str = "http://dm.example/omadm";

fn tree() -> Tree {
    let mut tree = Tree::new();
    DevInfo::new("urn:x:1", "Maker", "Thing").put(&mut tree).unwrap();
    DevDetail::new("thing", "1", "2", "3").put(&mut tree).unwrap();
    tree
}

fn account() -> Account {
    Account::new("srv", SERVER.parse().unwrap())
}

/// A device whose server may do everything.
fn client() -> Client {
    let (mut tree, account) = (tree(), account());
    account.grant(&mut tree);
    Client::new(tree, account)
}

fn begin() -> Begin {
    Begin::new("7", [1; 16])
}

/// The server: it answers by rule and checks what it gets by rule.
struct Server {
    msg_id: u32,
    form: Form,
    /// What of ours the device has to give a status for.
    unanswered: BTreeSet<(u32, u32)>,
    /// Whether the last message that came was the last of its package.
    max_msg_size: Option<u64>,
    max_obj_size: Option<u64>,
    /// Every message that came.
    got: Vec<SyncMl>,
}

impl Server {
    fn new(form: Form) -> Self {
        let unanswered = BTreeSet::new();
        Self {
            msg_id: 0,
            form,
            unanswered,
            max_msg_size: None,
            max_obj_size: None,
            got: Vec::new(),
        }
    }

    /// Reads a message and checks what holds for each.
    fn read(&mut self, message: &Outgoing) -> SyncMl {
        if let Some(limit) = self.max_msg_size {
            let length = message.octets.len() as u64;
            assert!(length <= limit, "{length} octets, more than MaxMsgSize {limit}");
        }
        assert_eq!(Form::detect(&message.octets), message.form);
        let read = SyncMl::decode(&message.octets, &Options::STRICT).unwrap();
        let number = self.got.len() as u64 + 1;
        assert_eq!(read.hdr.msg_id.number(), Some(number), "MsgID counts from 1");
        assert_eq!(read.hdr.session_id.as_str(), "7");
        let ids: Vec<_> =
            read.body.commands.iter().map(|it| it.cmd_id().unwrap().to_string()).collect();
        let expected: Vec<_> = (1..=ids.len()).map(|it| it.to_string()).collect();
        assert_eq!(ids, expected, "CmdID counts from 1");
        for command in &read.body.commands {
            if let Command::Status(status) = command {
                let of =
                    |text: &bindery_syncml::Text| u32::try_from(text.number().unwrap()).unwrap();
                let reference = (of(&status.msg_ref), of(&status.cmd_ref));
                assert!(self.unanswered.remove(&reference), "a status for nothing: {status:?}");
            }
        }
        if read.body.is_final {
            assert!(self.unanswered.is_empty(), "no status for {:?}", self.unanswered);
        }
        self.got.push(read.clone());
        read
    }

    /// Answers with these commands behind the statuses of everything that asks for one.
    fn answer(&mut self, to: &SyncMl, hdr: StatusCode, commands: Vec<Command>) -> SyncMl {
        self.msg_id += 1;
        let mut answer = SyncMl::default();
        let header = &mut answer.hdr;
        (header.ver_dtd, header.ver_proto) = ("1.2".into(), "DM/1.2".into());
        (header.session_id, header.msg_id) = (to.hdr.session_id.clone(), self.msg_id.into());
        header.target = (&*to.hdr.source.loc_uri).into();
        header.source = (&*to.hdr.target.loc_uri).into();
        if self.max_msg_size.is_some() || self.max_obj_size.is_some() {
            let (max_msg_size, max_obj_size) = (self.max_msg_size, self.max_obj_size);
            let meta = Meta { max_msg_size, max_obj_size, ..Meta::default() };
            header.meta = Some(Box::new(meta));
        }
        let msg_ref = to.hdr.msg_id.clone();
        let statuses = &mut answer.body.commands;
        statuses.push(Status::of(0_u32, msg_ref.clone(), 0_u32, "SyncHdr", hdr).into());
        for command in &to.body.commands {
            if !matches!(command, Command::Status(_) | Command::Results(_)) {
                let (id, name) = (command.cmd_id().unwrap().clone(), command.tag().unwrap().name());
                let code = if hdr.is_success() { StatusCode::OK } else { hdr };
                statuses.push(Status::of(0_u32, msg_ref.clone(), id, name, code).into());
            }
        }
        answer.body.commands.extend(commands);
        answer.body.is_final = true;
        self.unanswered.insert((self.msg_id, 0));
        let mut number = 0;
        for command in &mut answer.body.commands {
            self.number(command, &mut number);
        }
        answer
    }

    fn number(&mut self, command: &mut Command, number: &mut u32) {
        *number += 1;
        command.set_cmd_id(*number);
        if !matches!(command, Command::Status(_)) {
            self.unanswered.insert((self.msg_id, *number));
        }
        let inner = match command {
            Command::Atomic(atomic) => &mut atomic.commands,
            Command::Sequence(sequence) => &mut sequence.commands,
            _ => return,
        };
        for command in inner {
            self.number(command, number);
        }
    }

    fn write(&self, message: &SyncMl) -> Incoming {
        let mut octets = Vec::new();
        message.encode(&mut octets, &WriteOptions::new(self.form)).unwrap();
        Incoming::read(octets.into(), &Options::STRICT).unwrap()
    }
}

/// The status that a message has for a command of ours.
#[track_caller]
fn code(message: &SyncMl, msg_ref: u32, cmd_ref: u32) -> u16 {
    let statuses = message.body.commands.iter().filter_map(|command| match command {
        Command::Status(status) => Some(status),
        _ => None,
    });
    let mut found = statuses.filter(|status| {
        let of = |text: &bindery_syncml::Text| text.number().unwrap();
        (of(&status.msg_ref), of(&status.cmd_ref)) == (msg_ref.into(), cmd_ref.into())
    });
    let status = found.next().unwrap_or_else(|| panic!("no status for {cmd_ref}"));
    assert!(found.next().is_none(), "two statuses for {cmd_ref}");
    status.code().unwrap().0
}

fn is_alert(command: &Command, code: AlertCode) -> bool {
    matches!(command, Command::Alert(alert) if alert.code() == Some(code))
}

/// Package 1 was answered with commands; gives what came back for them.
fn exchange(
    conversation: &mut Conversation<'_>,
    server: &mut Server,
    commands: Vec<Command>,
) -> SyncMl {
    let first = server.read(&conversation.message().unwrap());
    let answer = server.answer(&first, StatusCode::OK, commands);
    conversation.receive(&server.write(&answer));
    server.read(&conversation.message().expect("commands are answered"))
}

/// The server has nothing more.
fn finish(
    conversation: &mut Conversation<'_>,
    server: &mut Server,
    last: &SyncMl,
) -> Result<Summary, SessionError> {
    let end = server.answer(last, StatusCode::OK, Vec::new());
    conversation.receive(&server.write(&end));
    assert!(conversation.message().is_none(), "nothing is sent after the end");
    conversation.outcome().expect("the session is over")
}

/// One session in which the server wants these things; the message that answers them, and how the
/// session went.
fn session(client: &mut Client, commands: Vec<Command>) -> (SyncMl, Summary) {
    let mut server = Server::new(client.config.form);
    let mut conversation = client.begin(begin());
    let back = exchange(&mut conversation, &mut server, commands);
    let summary = finish(&mut conversation, &mut server, &back).unwrap();
    (back, summary)
}

fn next_message() -> Command {
    Alert::new(0_u32, AlertCode::NEXT_MESSAGE).into()
}
