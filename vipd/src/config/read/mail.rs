//! Mail and webhooks.

use std::time::Duration;

use super::super::model::{Mail, Secret, Webhook, WebhookFormat};
use super::cursor::{Context, Cursor};
use super::values;

pub(super) fn mail(root: &Cursor<'_>, cx: &mut Context<'_>) -> Option<Mail> {
    let given = root.table(cx, "mail", "`mail`")?;
    let mail = Mail {
        to: given.texts(cx, "to", values::mailbox),
        from: given.text(cx, "from", values::mailbox),
        server: given.text(cx, "server", values::server).unwrap_or_else(|| "127.0.0.1".to_owned()),
        port: given.number(cx, "port", values::port).unwrap_or(25),
        helo: given.text(cx, "helo", values::name),
        timeout: given.number(cx, "timeout", values::wait_some).unwrap_or(Duration::from_secs(30)),
        no_faults: given.switch(cx, "no_faults").unwrap_or(false),
    };
    given.finish(cx);
    (!mail.to.is_empty()).then_some(mail)
}

pub(super) fn webhook(cursor: &Cursor<'_>, cx: &mut Context<'_>) -> Webhook {
    // A misspelt key may hold the token (C-SEC-07).
    let open = ["format", "timeout", "retries"];
    for entry in cursor.entries().filter(|entry| !open.contains(&entry.key.as_str())) {
        cx.findings.sources.hide(entry.item.span);
    }
    cursor.demand(cx, "this webhook", "url", "https://example.com/events");
    Webhook {
        url: cursor.text(cx, "url", values::webhook_url).unwrap_or(Secret(String::new())),
        format: cursor.text(cx, "format", values::webhook_format).unwrap_or(WebhookFormat::Json),
        token: cursor.text(cx, "token", values::token),
        timeout: cursor.number(cx, "timeout", values::interval).unwrap_or(Duration::from_secs(5)),
        retries: cursor.number(cx, "retries", values::retries).unwrap_or(5),
    }
}
