//! `bindery account`: the file of accounts.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{
    args::account::{AccountArgs, AccountVerb, SchemeName},
    config::{
        Config, Loaded, Problems,
        accounts::{AccountEntry, AccountFile, DigestEntry, DigestName, REALM},
    },
    error::{Exit, Failure, Layer, Result},
    files,
    output::{self, Document, Output},
};

/// The longest password, in octets.
const LONGEST: u64 = 1024;

/// Does what the verb says.
///
/// # Errors
/// A file cannot be read or written, or there is no such account.
pub(crate) fn run(args: &AccountArgs, output: &Output) -> Result<()> {
    let (file, realm) = place(args)?;
    let mut accounts = read(&file)?;
    match &args.verb {
        AccountVerb::Set { user, password_file, principal, scheme, realm: own } => {
            let realm = own.as_deref().unwrap_or(&realm);
            let password = password(password_file)?;
            let mut entry = entry(user, &password, scheme, realm)?;
            let before = accounts.account.remove(user);
            let new = before.is_none();
            if let Some(before) = &before {
                let gone = entry.keep(before, user, &password);
                if !gone.is_empty() {
                    output::warn(&format!(
                        "{}: it was of another password, and is gone (name it with --scheme too)",
                        gone.join(", ")
                    ));
                }
            }
            entry.principal =
                principal.clone().or_else(|| before.and_then(|entry| entry.principal));
            let schemes = entry.schemes();
            if entry.digest.is_empty() {
                output::note(
                    "it is proved by Basic alone; what asks for Digest, as `bindery proxy` does unless \
                     told otherwise, refuses it: --scheme digest-sha256 adds that",
                );
            }
            accounts.account.insert(user.clone(), entry);
            check(&accounts, realm)?;
            write(&file, &accounts)?;
            let verb = if new { "made" } else { "changed" };
            let json = json!({ "user": user, "file": file, "new": new, "schemes": schemes });
            let by = schemes.join(", ");
            let text = format!("{user}: {verb} in {}, proved by {by}", file.display());
            Document::new(json, text).print(output)
        }
        AccountVerb::Remove { user } => {
            if accounts.account.remove(user).is_none() {
                return Err(unknown(user, &accounts, &file));
            }
            write(&file, &accounts)?;
            let json = json!({ "user": user, "file": file });
            Document::new(json, format!("{user}: removed from {}", file.display())).print(output)
        }
        AccountVerb::List => list(&accounts, output),
    }
}

fn list(accounts: &AccountFile, output: &Output) -> Result<()> {
    let rows = accounts.account.iter().map(|(user, entry)| {
        let schemes = entry.schemes();
        (user, entry.principal.as_ref().unwrap_or(user), schemes)
    });
    let rows: Vec<_> = rows.collect();
    let json: Vec<_> = rows
        .iter()
        .map(|(user, principal, schemes)| {
            json!({ "user": user, "principal": principal, "schemes": schemes })
        })
        .collect();
    let lines = rows
        .iter()
        .map(|(user, principal, schemes)| format!("{user}   {principal}   {}", schemes.join(", ")));
    let text = lines.collect::<Vec<_>>().join("\n");
    Document::new(json.into(), text).print(output)
}

/// The file of accounts, and the realm.
fn place(args: &AccountArgs) -> Result<(PathBuf, String)> {
    let named = args.accounts.clone();
    if named.is_some() && !args.config.is_file() {
        return Ok((named.unwrap_or_default(), REALM.to_owned()));
    }
    let loaded: std::result::Result<Loaded<Config>, Problems> = Loaded::from_file(&args.config);
    let loaded = loaded.map_err(|problems| {
        let failure = problems.into_failure(Exit::Usage);
        match args.config.exists() {
            true => failure,
            false => failure.hint(
                "give --accounts with the file of accounts, or --config with the configuration that \
                 names it",
            ),
        }
    })?;
    let settings = &loaded.value.accounts;
    let own = settings.file.as_ref().map(|file| loaded.path(file));
    let Some(file) = named.or(own) else {
        let message = format!("{} names no file of accounts", args.config.display());
        return Err(Failure::new(Exit::Usage, Layer::Config, message)
            .hint("write file = \"accounts.toml\" under [accounts], or give --accounts"));
    };
    Ok((file, settings.realm.clone()))
}

fn read(file: &Path) -> Result<AccountFile> {
    if !file.exists() {
        return Ok(AccountFile::default());
    }
    AccountFile::load(file).map_err(|problems| problems.into_failure(Exit::Usage))
}

fn write(file: &Path, accounts: &AccountFile) -> Result<()> {
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::new(Exit::Usage, Layer::Config, format!("{}: {reason}", file.display()))
            .hint("the file was not changed; its directory must be writable")
    };
    let text = toml::to_string(accounts).map_err(|error| failed(&error))?;
    let text = format!("# Accounts of a bindery server; written by `bindery account`.\n{text}");
    files::replace(file, text.as_bytes()).map_err(|error| failed(&error))
}

fn check(accounts: &AccountFile, realm: &str) -> Result<()> {
    match accounts.accounts(realm) {
        Ok(_) => Ok(()),
        Err(faults) => {
            let first = faults.into_iter().next();
            let (key, reason, remedy) = first.unwrap_or_default();
            Err(Failure::usage(format!("{key}: {reason}")).hint(remedy))
        }
    }
}

/// The first line of a file, or of standard input.
pub(crate) fn password(file: &Path) -> Result<String> {
    let failed = |reason: String| {
        Failure::usage(format!("the password file {}: {reason}", file.display()))
            .hint("its first line is the password, in UTF-8")
    };
    let mut octets = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(LONGEST + 1).read_to_end(&mut octets)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut octets))
    };
    read.map_err(|error| failed(error.to_string()))?;
    if octets.len() as u64 > LONGEST {
        return Err(failed(format!("it has more than {LONGEST} octets")));
    }
    let text = String::from_utf8(octets).map_err(|_| failed("it is not UTF-8".to_owned()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(failed("its first line is empty".to_owned())),
    }
}

fn entry(user: &str, password: &str, schemes: &[SchemeName], realm: &str) -> Result<AccountEntry> {
    let mut entry = AccountEntry::default();
    for scheme in schemes {
        let algorithm = match scheme {
            SchemeName::Basic => {
                let mut salt = [0; 16];
                getrandom::fill(&mut salt).map_err(|error| no_random(&error))?;
                let hashed =
                    bindery_auth::hash(password, &salt).map_err(|error| no_random(&error))?;
                entry.password = Some(hashed);
                continue;
            }
            SchemeName::DigestSha256 => DigestName::Sha256,
            SchemeName::DigestMd5 => DigestName::Md5,
        };
        let made = bindery_auth::secret(algorithm.algorithm(), user, realm, password);
        entry.digest.push(DigestEntry { algorithm, realm: made.realm, secret: made.secret });
    }
    Ok(entry)
}

fn no_random(error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Usage, Layer::Config, error.to_string())
        .hint("the system gives no random octets; nothing was changed")
}

fn unknown(user: &str, accounts: &AccountFile, file: &Path) -> Failure {
    let known: Vec<&str> = accounts.account.keys().map(String::as_str).collect();
    let hint = if known.is_empty() {
        "the file has no accounts".to_owned()
    } else {
        format!("it has: {}", known.join(", "))
    };
    let message = format!("there is no account {} in {}", output::clean(user), file.display());
    Failure::usage(message).hint(hint)
}
