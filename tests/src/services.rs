//! The real programs around the agents: nginx as application server, HAProxy as load balancer.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Result;

use crate::host::Host;
use crate::process::Process;

/// For a program to come up, on a loaded machine too.
const START: Duration = Duration::from_secs(20);

/// Starts nginx on a host, port 80; it answers every request with the host's name.
///
/// # Errors
/// If nginx does not come up.
pub fn nginx(host: &Host) -> Result<Process> {
    let config = format!(
        "worker_processes 1;
pid /run/nginx.pid;
error_log stderr notice;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path /run/nginx-body;
    proxy_temp_path /run/nginx-proxy;
    fastcgi_temp_path /run/nginx-fastcgi;
    uwsgi_temp_path /run/nginx-uwsgi;
    scgi_temp_path /run/nginx-scgi;
    server {{
        listen 80;
        location / {{
            default_type text/plain;
            return 200 '{}\\n';
        }}
    }}
}}
",
        host.name()
    );
    host.write_file("/etc/nginx/lab.conf", &config, 0o644)?;
    let process = host.spawn("nginx", &["-e", "stderr", "-c", "/etc/nginx/lab.conf", "-g", "daemon off;"])?;
    process.wait_for_line("start worker process ", START)?;
    Ok(process)
}

/// Starts HAProxy on a host, port 80 of any address, in front of these application servers. Its answers carry the
/// host's name as `X-Served-By`.
///
/// # Errors
/// If HAProxy does not come up and find the servers healthy.
pub fn haproxy(host: &Host, servers: &[IpAddr]) -> Result<Process> {
    let lines = (1..).zip(servers).map(|(number, server)| format!("    server app{number} {server}:80\n"));
    let list = lines.collect::<Vec<_>>().concat();
    let config = format!(
        "global
    log stdout format raw local0
    stats socket /run/haproxy/admin.sock mode 660 level admin

defaults
    mode http
    log global
    option log-health-checks
    timeout connect 1s
    timeout client 5s
    timeout server 5s

frontend web
    bind :80
    http-response set-header X-Served-By {}
    default_backend web_servers

backend web_servers
    balance roundrobin
    option httpchk GET /health
    default-server check inter 500ms rise 1
{list}",
        host.name()
    );
    host.write_file("/etc/haproxy/haproxy.cfg", &config, 0o644)?;
    host.command("mkdir -p /run/haproxy")?;
    let process = host.spawn("haproxy", &["-db", "-f", "/etc/haproxy/haproxy.cfg"])?;
    for _ in servers {
        process.wait_for_line("check passed", START)?;
    }
    Ok(process)
}
