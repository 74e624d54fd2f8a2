//! The test whether this node is the isolated one.

use std::time::Duration;

use super::super::model::Fence;
use super::cursor::{Context, Cursor};
use super::values;

pub(super) fn fence(cursor: &Cursor<'_>, cx: &mut Context<'_>) -> Option<Fence> {
    let given = cursor.table(cx, "fence", "`fence`")?;
    let gateway = given.text(cx, "gateway", values::host);
    let peers = given.texts(cx, "peers", values::host);
    let anchors = given.texts(cx, "anchors", values::host);
    let asked =
        u16::try_from(usize::from(gateway.is_some()) + peers.len() + anchors.len()).unwrap_or(u16::MAX);
    if asked == 0 && !["gateway", "peers", "anchors"].iter().any(|key| given.has(key)) {
        let message = "this fence asks nobody";
        cx.findings.error(given.span, message, "add `gateway`, `peers` or `anchors`, or remove it");
    }
    let quorum = given.number(cx, "quorum", |text| values::fence_quorum(text, asked.max(1)));
    let interval = given.number(cx, "interval", values::interval).unwrap_or(Duration::from_secs(1));
    let timeout = given.number(cx, "timeout", |text| values::timeout_within(text, interval));
    given.finish(cx);
    Some(Fence {
        gateway,
        peers,
        anchors,
        quorum: quorum.unwrap_or(asked / 2 + 1),
        interval,
        timeout: timeout.unwrap_or(Duration::from_millis(100).min(interval)),
    })
}
