//! `bindery decode` and `bindery convert`: messages without a server.

mod capture;
mod dump;
mod input;
mod json;
mod languages;
mod markup;

use bindery_ttlv::{Options, Tree, TreeError, Walk, hex::Hex, to_json_indented, to_xml_indented};

use crate::{
    args::{ConvertArgs, DecodeArgs, Form, InputArgs},
    error::{Exit, Failure, Layer, Result},
    output::{Document, Format, Output, write_stdout},
    preview::Shown,
};
pub(crate) use capture::{Entry, shown_field, shown_head};
pub(crate) use dump::{dump, dump_all};
use input::malformed;
pub(crate) use input::{read as read_file, read_message};
pub(crate) use json::tree as json_tree;

/// Runs `bindery decode`.
///
/// # Errors
/// The input cannot be read, or is no message from some offset on; what stands before it has then
/// been printed.
pub(crate) fn decode(args: &DecodeArgs, output: &Output) -> Result<()> {
    let options = options(&args.input);
    let language = languages::named(args.lang.as_deref())?;
    let octets = input::read_some(&args.input.file)?;
    if args.from.is_none() && capture::is_one(&octets) {
        return capture::decode(&octets, output);
    }
    let form = args.from.unwrap_or_else(|| input::recognise(&octets));
    if matches!(form, Form::Wbxml | Form::Xml) {
        return markup::decode(octets, form, language, args.input.lenient, output);
    }
    let message = input::to_ttlv(octets, form, &options)?;
    if output.format == Format::Table {
        let mut text = String::new();
        let tree = Tree::new(&message).with_options(options).with_offsets(true);
        let tree = if output.show_secrets { tree.with_secrets() } else { tree };
        let written = tree.write(&mut text);
        write_stdout(text.as_bytes())?;
        return match written {
            Ok(()) => Ok(()),
            Err(TreeError::Message(error)) => Err(undecodable(&error)),
            Err(error) => Err(Failure::usage(error.to_string())),
        };
    }
    let json = json_tree(&message, &options, output.show_secrets).map_err(|e| undecodable(&e))?;
    let secret = holds_secrets(&message, &options);
    Document::new(json, "").with_octets(message, secret).print(output)
}

/// Runs `bindery convert`.
///
/// # Errors
/// The input cannot be read or is no message, or the output cannot be written.
pub(crate) fn convert(args: &ConvertArgs, output: &Output) -> Result<()> {
    if args.list_languages {
        return languages::list().print(output);
    }
    let (Some(from), Some(to)) = (args.from, args.to) else {
        return Err(Failure::usage("which forms?").hint("give --from and --to"));
    };
    let markup = |form| matches!(form, Form::Wbxml | Form::Xml);
    if markup(from) != markup(to) {
        return Err(Failure::usage("WBXML and XML stand for each other, and not for TTLV")
            .hint("use ttlv-xml for TTLV in XML"));
    }
    let language = languages::named(args.lang.as_deref())?;
    let octets = input::read_some(&args.input.file)?;
    if markup(from) {
        let converted = languages::convert(&octets, (from, to), language, args.input.lenient)?;
        return write_stdout(&converted);
    }
    let options = options(&args.input);
    let message = input::to_ttlv(octets, from, &options)?;
    check(&message, &options)?;
    let mut text = Vec::new();
    match to {
        // Turned away above.
        Form::Wbxml | Form::Xml => return Ok(()),
        Form::Ttlv => return write_stdout(&message),
        Form::TtlvHex => text.extend(Hex(&message).to_string().bytes()),
        Form::TtlvXml => {
            to_xml_indented(&message, &options, &mut text).map_err(|e| malformed(&e))?;
        }
        Form::TtlvJson => {
            to_json_indented(&message, &options, &mut text).map_err(|e| malformed(&e))?;
        }
    }
    text.push(b'\n');
    write_stdout(&text)
}

/// Checks that octets are well-formed TTLV.
///
/// # Errors
/// They are not, at some offset.
pub(crate) fn check(message: &[u8], options: &Options) -> Result<()> {
    Walk::new(message, options).try_for_each(|visit| visit.map(|_| ())).map_err(|e| undecodable(&e))
}

/// Whether a message holds something that is hidden by default.
pub(crate) fn holds_secrets(message: &[u8], options: &Options) -> bool {
    Walk::new(message, options).map_while(Result::ok).any(|visit| visit.item.tag.is_secret())
}

/// A message as a readable tree, without offsets; what is no message ends in a line that says so.
pub(crate) fn tree(message: &[u8], show_secrets: bool) -> String {
    let tree = Tree::new(message);
    if show_secrets { tree.with_secrets().to_string() } else { tree.to_string() }
}

/// A message of TTLV, as it is shown.
pub(crate) fn shown_ttlv(message: &[u8], show_secrets: bool) -> Shown {
    let json = json_tree(message, &Options::LENIENT, show_secrets);
    Shown {
        text: tree(message, show_secrets),
        json: json.unwrap_or(serde_json::Value::Null),
        secret: holds_secrets(message, &Options::LENIENT),
    }
}

/// A message in WBXML or XML, as it is shown; what cannot be read ends in a line that says so.
pub(crate) fn shown_markup(message: &[u8], show_secrets: bool) -> Shown {
    markup::shown(message, show_secrets)
}

/// The failure of reading TTLV.
pub(crate) fn undecodable(error: &bindery_ttlv::Error) -> Failure {
    let path: Vec<String> = error.path().iter().map(ToString::to_string).collect();
    let place = if path.is_empty() { String::new() } else { format!(", {}", path.join("/")) };
    let message = format!("TTLV: at offset {}{place}: {}", error.offset(), error.kind());
    Failure::new(Exit::Undecodable, Layer::Codec, message)
        .hint(error.remedy())
        .detail("offset", error.offset())
        .detail("path", path)
}

const fn options(input: &InputArgs) -> Options {
    if input.lenient { Options::LENIENT } else { Options::STRICT }
}
