//! Parts of mail and webhooks. Refusals of webhooks repeat nothing: all of it can be secret.

use super::super::super::model::{Secret, WebhookFormat};
use super::{Checked, Refusal, quoted, whole};

/// An address of mail, or a user of the mail server's own.
pub(in super::super) fn mailbox(text: &str) -> Checked<String> {
    let inner = text.rsplit_once('<').map_or(text, |(_, inner)| inner.trim_end_matches('>'));
    let (user, domain) = inner.rsplit_once('@').unwrap_or((inner, "localhost"));
    let forbidden = |c: char| c.is_control() || c.is_whitespace();
    if user.is_empty() || domain.is_empty() || inner.contains(forbidden) || text.contains(char::is_control) {
        let message = format!("{} is not an address of mail", quoted(text));
        return Err(Refusal::new(message, "write it such as admin@example.com"));
    }
    Ok(text.to_owned())
}

/// A host by name or address.
pub(in super::super) fn server(text: &str) -> Checked<String> {
    if text.is_empty() || text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '/') {
        let message = format!("{} is not the name or address of a host", quoted(text));
        return Err(Refusal::new(message, "write one, such as mail.example.com"));
    }
    Ok(text.to_owned())
}

/// Where events are posted.
pub(in super::super) fn webhook_url(text: &str) -> Checked<Secret> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = |host: &str| !host.is_empty() && !host.starts_with('/');
    if !host.is_some_and(fits) || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        let help = "write it such as https://example.com/events";
        return Err(Refusal::new("this is not a URL of the web", help));
    }
    Ok(Secret(text.to_owned()))
}

/// What a receiver understands.
pub(in super::super) fn webhook_format(text: &str) -> Checked<WebhookFormat> {
    match text {
        "json" => Ok(WebhookFormat::Json),
        "slack" => Ok(WebhookFormat::Slack),
        "pagerduty" => Ok(WebhookFormat::Pagerduty),
        _ => {
            let message = format!("{} is not a format of webhooks", quoted(text));
            Err(Refusal::new(message, "write json, slack or pagerduty"))
        }
    }
}

/// A key that lets events in.
pub(in super::super) fn token(text: &str) -> Checked<Secret> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err(Refusal::new("this is not a token", "write printable characters"));
    }
    Ok(Secret(text.to_owned()))
}

/// Further attempts.
pub(in super::super) fn retries(text: &str) -> Checked<u8> {
    whole(text, "a number of attempts", 0..=100)
}

/// Status of an HTTP answer.
pub(in super::super) fn http_status(text: &str) -> Checked<u16> {
    whole(text, "a status of HTTP", 100..=599)
}
