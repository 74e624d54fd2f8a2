//! Whom to tell of changes, and how.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::toml::form;
use super::Secret;

/// A program with its arguments. No shell is involved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments; at least one, the first an absolute path unless it is to be found in `PATH`.
    pub argv: Vec<String>,
    /// Who runs it: as the command says, else `script_user`; `keepalived_script` if there is such a user, else root,
    /// where neither says.
    pub account: Option<Account>,
}

/// A user with a group, by name or number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Account {
    /// The user.
    pub user: String,
    /// The group; that of the user by default.
    pub group: Option<String>,
}

/// What an instance or a group does when its state changes.
///
/// The commands for one state get only their own words. [`any`](Self::any) gets `INSTANCE` or `GROUP`, the name, the
/// state and the priority (0 for a group) behind its own; it runs after the one for the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Notify {
    /// On becoming MASTER (`notify_master`).
    #[serde(rename = "notify_master")]
    pub master: Option<Command>,
    /// On becoming BACKUP (`notify_backup`).
    #[serde(rename = "notify_backup")]
    pub backup: Option<Command>,
    /// On going to FAULT (`notify_fault`).
    #[serde(rename = "notify_fault")]
    pub fault: Option<Command>,
    /// When the agent ends (`notify_stop`).
    #[serde(rename = "notify_stop")]
    pub stop: Option<Command>,
    /// When a reload takes the instance away (`notify_deleted`); instances only.
    #[serde(rename = "notify_deleted")]
    pub deleted: Deleted,
    /// On every change (`notify`).
    #[serde(rename = "notify")]
    pub any: Option<Command>,
    /// When the Master hears an advert of lower priority (`notify_master_rx_lower_pri`); instances only.
    #[serde(rename = "notify_master_rx_lower_pri")]
    pub rx_lower_pri: Option<Command>,
    /// Tell pipes of every change of the effective priority (`notify_priority_changes`); off by default.
    #[serde(rename = "notify_priority_changes")]
    pub priority_changes: bool,
    /// Send mail on every change (`smtp_alert`, globally `smtp_alert_vrrp`); off by default.
    #[serde(rename = "smtp_alert")]
    pub mail: bool,
}

/// What is said of an instance that a reload has taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Deleted {
    /// That it went to FAULT.
    #[default]
    Fault,
    /// That it was deleted (`notify_deleted` without a command): pipes and the command for every change get `DELETED`.
    Deleted,
    /// The same, and this command is run.
    Command(Command),
}

/// A named pipe that gets a line for each event: `INSTANCE "name" STATE priority`, or `GROUP "name" STATE 0`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fifo {
    /// The pipe; made if it is not there.
    pub path: PathBuf,
    /// To whom it belongs; root by default.
    #[serde(flatten)]
    pub owner: Option<Account>,
    /// A program that reads it (`notify_fifo_script`); started with the path of the pipe as its last argument.
    pub script: Option<Command>,
}

/// How mail is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mail {
    /// Recipients (`notification_email`); at least one.
    pub to: Vec<String>,
    /// Sender (`notification_email_from`); `root@` and the host name by default.
    pub from: Option<String>,
    /// Host name or address of the server (`smtp_server`); `127.0.0.1` by default.
    pub server: String,
    /// Its port; 25 by default.
    pub port: u16,
    /// What this host says it is (`smtp_helo_name`); its name by default.
    pub helo: Option<String>,
    /// Longest wait for the server (`smtp_connect_timeout`, seconds); 30 s by default.
    #[serde(serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub timeout: Duration,
    /// None for FAULT (`no_email_faults`); off by default.
    pub no_faults: bool,
}

/// Where events are posted as JSON, with retries. vipd's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Webhook {
    /// `http://` or `https://`. Secret, because for Slack it is the key as well.
    #[serde(serialize_with = "form::reveal")]
    #[schemars(with = "String")]
    pub url: Secret,
    /// What the receiver understands; `Json` by default.
    pub format: WebhookFormat,
    /// PagerDuty's routing key; for the others what is sent as `Authorization: Bearer`.
    #[serde(serialize_with = "form::reveal_some")]
    #[schemars(with = "Option<String>")]
    pub token: Option<Secret>,
    /// Longest wait for one answer (`timeout`, seconds); 5 s by default.
    #[serde(serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub timeout: Duration,
    /// Further attempts after the first (`retries`), each after a longer wait; 5 by default.
    pub retries: u8,
}

/// The JSON that a receiver understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WebhookFormat {
    /// vipd's own: instance, old and new state, reason, time.
    #[default]
    Json,
    /// Slack's incoming webhooks: `{"text": ...}`.
    Slack,
    /// PagerDuty's events API, version 2.
    Pagerduty,
}
