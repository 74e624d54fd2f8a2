//! What a webhook is told: the JSON that its receiver understands.

use serde_json::{Value, json};
use tokio::time::timeout;

use super::http::{Target, Unreadable};
use super::notice::{Kind, Notice, Word};
use super::retry::Failure;
use crate::config::{StartState, Webhook, WebhookFormat};
use crate::control::date_time;

/// Answers that a later attempt may change, besides those of a server in trouble (500 and above).
const PASSING: [u16; 3] = [408, 425, 429];

/// A receiver of events.
pub(super) struct Receiver {
    webhook: Webhook,
    target: Target,
}

impl Receiver {
    /// # Errors
    /// When the address cannot be one. It is not repeated: it may be secret.
    pub(super) fn new(webhook: &Webhook) -> Result<Self, Unreadable> {
        Ok(Self { target: Target::parse(&webhook.url.0)?, webhook: webhook.clone() })
    }

    /// Whether a notice is posted: the changes of state of virtual routers. Sync groups follow from them.
    pub(super) fn wants(notice: &Notice) -> bool {
        notice.subject.kind == Kind::Instance && notice.word.is_change()
    }

    /// Posts a notice.
    ///
    /// # Errors
    /// [`Failure`], without a word of the address or the token; final when the receiver refused the request as such.
    pub(super) async fn post(&self, router_id: &str, notice: &Notice) -> Result<(), Failure> {
        let Webhook { format, token, .. } = &self.webhook;
        let token = token.as_ref().map(|token| token.0.as_str());
        let (json, bearer) = match format {
            WebhookFormat::Json => (plain(router_id, notice), token),
            WebhookFormat::Slack => (json!({ "text": sentence(router_id, notice) }), token),
            WebhookFormat::Pagerduty => (pagerduty(router_id, notice, token.unwrap_or_default()), None),
        };
        let answer = timeout(self.webhook.timeout, self.target.post(json.to_string(), bearer)).await;
        match answer {
            Ok(Ok(status @ 200..300)) => {
                tracing::trace!("a webhook answered {status}");
                Ok(())
            }
            Ok(Ok(status)) if status >= 500 || PASSING.contains(&status) => {
                Err(Failure::Passing(format!("it answered with status {status}")))
            }
            Ok(Ok(status)) => Err(Failure::Final(format!(
                "it refused with status {status}; look at `url`, `token` and `format`"
            ))),
            Ok(Err(why)) => Err(Failure::Passing(why)),
            Err(_) => {
                Err(Failure::Passing(format!("no answer within {} s", self.webhook.timeout.as_secs_f32())))
            }
        }
    }
}

/// vipd's own form.
pub(super) fn plain(router_id: &str, notice: &Notice) -> Value {
    json!({
        "router_id": router_id,
        "instance": notice.subject.name,
        "from": notice.state_before(),
        "to": notice.word.to_string(),
        "priority": notice.priority,
        "reason": &*notice.reason,
        "time": date_time(notice.at),
    })
}

pub(super) fn sentence(router_id: &str, notice: &Notice) -> String {
    let Notice { subject, word, reason, .. } = notice;
    format!("{router_id} is now {word} for {} (was {}): {reason}", subject.name, notice.state_before())
}

/// PagerDuty's events API, version 2. An incident is open while this node is not where it should be: in FAULT, or MASTER
/// although it is not the one with `state MASTER`. The node that failed may have no say any more; the one that took
/// over has.
pub(super) fn pagerduty(router_id: &str, notice: &Notice, routing_key: &str) -> Value {
    let severity = match notice.word {
        Word::Fault => Some("error"),
        Word::Master if notice.subject.normal != StartState::Master => Some("warning"),
        _ => None,
    };
    json!({
        "routing_key": routing_key,
        "event_action": if severity.is_some() { "trigger" } else { "resolve" },
        "dedup_key": format!("vipd/{router_id}/{}", notice.subject.name),
        "payload": {
            "summary": sentence(router_id, notice),
            "source": router_id,
            "severity": severity.unwrap_or("info"),
            "component": notice.subject.name,
            "timestamp": date_time(notice.at),
            "custom_details": plain(router_id, notice),
        },
    })
}
