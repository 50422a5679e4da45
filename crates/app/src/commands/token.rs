//! `token`: make, list, revoke.

use crate::cli::{Token, TokenRole};
use crate::clock::now;
use crate::config::Settings;
use crate::failure::Failure;
use crate::tokens::TokenBook;
use barograph_api::Role;
use std::io::Write as _;

pub(crate) fn run(command: &Token, settings: &Settings, json: bool) -> Result<(), Failure> {
    let book = TokenBook::open(&settings.data)?;
    let mut out = std::io::stdout().lock();
    match command {
        Token::Add { name, role } => {
            let role = match role {
                TokenRole::Read => Role::Read,
                TokenRole::Operate => Role::Operate,
            };
            let token = book.add(name, role, now())?;
            if json {
                writeln!(out, "{}", serde_json::json!({ "name": name, "role": role.name(), "token": token }))?;
            } else {
                writeln!(out, "{token}")?;
                writeln!(
                    std::io::stderr(),
                    "this is the only time it is shown; send it as Authorization: Bearer TOKEN"
                )?;
            }
        }
        Token::Ls => {
            let tokens = book.list();
            for t in &tokens {
                if json {
                    let line = serde_json::json!({ "name": t.name, "role": t.role, "created_at": t.created_at });
                    writeln!(out, "{line}")?;
                } else {
                    writeln!(out, "{:<24} {:<8} {}", t.name, t.role, t.created_at)?;
                }
            }
            if tokens.is_empty() && !json {
                writeln!(out, "there are no tokens; make one with: barograph token add NAME --role read")?;
            }
        }
        Token::Revoke { name } => {
            book.revoke(name)?;
            if !json {
                writeln!(out, "'{name}' opens nothing any more")?;
            }
        }
    }
    Ok(())
}
