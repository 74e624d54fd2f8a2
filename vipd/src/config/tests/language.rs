//! keepalived.conf as a language: quotes, conditions, definitions, repetitions and included files, as
//! keepalived.conf(5) describes them.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Diagnostics, Loaded, Probe, Severity, host_name, load};
use super::{accepted, only, position, refused, with};

/// Files in a folder of their own, which goes with them.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("vipd-config-{}-{name}", std::process::id()));
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        Self(folder)
    }

    fn load(&self) -> Result<Loaded, Diagnostics> {
        load(&self.0.join("main.conf"), &host_name())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The priority that the only instance gets.
#[track_caller]
fn assert_priority(text: &str, priority: u8) {
    let loaded = accepted(text);
    assert!(loaded.warnings.is_empty(), "{text}\n{}", loaded.warnings);
    assert_eq!(only(&loaded).priority, priority, "{text}");
}

#[test]
fn a_definition_is_put_in_where_it_is_used_with_the_value_of_that_moment() {
    for (lines, priority) in [
        ("$P=7\npriority $P", 7),
        ("$P=7\npriority ${P}5", 75),
        ("$P=7\npriority $P\n$P=8\nversion 2", 7),
        ("$P=${Q}0\n$Q=3\npriority ${P}", 30),
        ("$P=\npriority 30$P", 30),
        ("$LINE=priority 9\n$LINE", 9),
        ("$LINES=\\\n priority 11\\\n nopreempt\n$LINES", 11),
        ("$INNER=priority 12\n$OUTER=\\\n version 2\\\n $INNER\n$OUTER", 12),
        ("$_=13\npriority $_", 13),
        ("priority 1${_RANDOM 4 4}", 14),
        ("$P=7 # not part of it\npriority $P", 7),
    ] {
        assert_priority(&with(lines), priority);
    }
}

#[test]
fn what_is_no_definition_stays_as_it_is() {
    let text = |id: &str| format!("$A=x\nglobal_defs {{\nrouter_id {id}\n}}\n{}", with(""));
    for (written, read) in [
        ("$LB${1}", "$LB${1}"),
        ("a$A", "ax"),
        ("$A-b", "$A-b"),
        ("$AB", "$AB"),
        ("${A}-b", "x-b"),
        ("${B}", "${B}"),
        ("a${_HASH}b${_BANG}", "a#b!"),
        ("\"${A} ${A}\"", "x x"),
        ("5$", "5$"),
    ] {
        assert_eq!(accepted(&text(written)).config.router_id.as_deref(), Some(read), "{written}");
    }
}

#[test]
fn what_is_predefined_tells_of_the_file_the_node_and_the_environment() {
    let folder = Folder::new(
        "predefined",
        &[(
            "main.conf",
            &with("notify \"${_PWD}/x ${_INSTANCE} ${_ENV CARGO_PKG_NAME} ${_ENV NO_SUCH_NAME}\""),
        )],
    );

    let loaded = load(&folder.0.join("main.conf"), "lb7").expect("accepted");

    let argv = &only(&loaded).notify.any.as_ref().expect("a command").argv;
    let script = folder.0.join("x").display().to_string();
    assert_eq!(argv, &[script.as_str(), "lb7", "vipd", "${_ENV", "NO_SUCH_NAME}"]);
}

#[test]
fn a_definition_that_uses_itself_is_refused() {
    for lines in [
        "$A=${A}\npriority ${A}",
        "$A=${B}\n$B=${A}\npriority ${A}",
        "$A=\\\n version 2\\\n $A\n$A",
        "$A=x ${B} ${B}\n$B=${A} ${A}\npriority ${A}",
    ] {
        let found = refused(&with(lines));
        assert!(
            found
                .iter()
                .any(|found| found.message.contains("uses itself") || found.message.contains("endless")),
            "{lines}\n{found}"
        );
    }
}

#[test]
fn a_mistake_in_what_a_definition_puts_in_is_shown_where_it_is_used_or_stands() {
    for (lines, at) in [
        ("$P=300\npriority $P", (6, 10)),
        ("$LINES=\\\n priority 300\\\n nopreempt\n$LINES", (6, 11)),
        ("$P=0\n$LINES=\\\n version 2\\\n priority 30${P}\n$LINES", (8, 11)),
        ("~SEQ(A, 300, 300) priority ${A}", (5, 28)),
    ] {
        let found = refused(&with(lines));
        let errors: Vec<_> = found.iter().filter(|found| found.severity == Severity::Error).collect();
        assert_eq!(errors.iter().map(|error| position(error)).collect::<Vec<_>>(), [at], "{lines}\n{found}");
        assert!(errors[0].message.contains("`300` is not a priority"), "{found}");
    }
}

#[test]
fn a_condition_keeps_its_line_on_the_node_that_it_names() {
    let text = with(
        "@lb1 priority 110\n@lb2 priority 100\n@^lb1 nopreempt\n  @lb1 version 3\n@lb1 $INT=0.5\n@^lb1 $INT=2\n\
         advert_int $INT\n@lb1 @lb2 priority 1\n@lb1\n$FOR=@lb2\n$FOR unicast_ttl 9",
    );
    let folder = Folder::new("condition", &[("main.conf", &text)]);
    let path = folder.0.join("main.conf");

    let [one, two] = ["lb1", "lb2"].map(|host| only(&load(&path, host).expect("accepted")).clone());

    assert_eq!((one.priority, one.preempt, one.interval.as_centis(), one.unicast_ttl), (110, true, 50, 255));
    assert_eq!((two.priority, two.preempt, two.interval.as_centis(), two.unicast_ttl), (100, false, 200, 9));
}

#[test]
fn a_line_is_repeated_for_each_value() {
    let addresses = |lines: &str| {
        let text = with(&format!("virtual_ipaddress_excluded {{\n{lines}\n}}"));
        let loaded = accepted(&text);
        only(&loaded).excluded.iter().map(|address| address.ip.to_string()).collect::<Vec<_>>()
    };
    for (line, expected) in [
        ("~SEQ(N, 0, 2) 10.1.${N}.1", vec!["10.1.0.1", "10.1.1.1", "10.1.2.1"]),
        ("~SEQ(N, 2) 10.1.${N}.1", vec!["10.1.1.1", "10.1.2.1"]),
        ("~LST(N, 5, 9) 10.1.${N}.1", vec!["10.1.5.1", "10.1.9.1"]),
        ("~LST({A, B}, {1, 2}, {3, 4}) 10.1.${A}.${B}", vec!["10.1.1.2", "10.1.3.4"]),
        ("~SEQ(A, 1, 2) ~SEQ(B, 1, 2) 10.1.${A}.${B}", vec!["10.1.1.1", "10.1.1.2", "10.1.2.1", "10.1.2.2"]),
    ] {
        assert_eq!(addresses(line), expected, "{line}");
    }
    let found = refused(&with("~SEQ(N, x) priority 9"));
    assert!(found.to_string().contains("test.conf:5:1: error: this is no range"), "{found}");
}

#[test]
fn definitions_make_instances() {
    // The example of keepalived.conf(5).
    let text = "$INSTANCE= \\\nvrrp_instance VI_${NUM} { \\\ninterface eth0.${NUM} \\\nvirtual_router_id 1 \\\n\
                virtual_ipaddress { \\\n10.0.${NUM}.254/24 \\\n} \\\n}\n$NUM=0\n$INSTANCE\n\n$NUM=1\n$INSTANCE\n";

    let loaded = accepted(text);

    let made: Vec<_> =
        loaded.config.instances.iter().map(|made| (made.name.as_str(), made.interface.as_str())).collect();
    assert_eq!(made, [("VI_0", "eth0.0"), ("VI_1", "eth0.1")]);
}

#[test]
fn quotes_keep_what_is_in_them_together() {
    for (lines, argv) in [
        ("notify \"/bin/a b c\"", vec!["/bin/a", "b", "c"]),
        ("notify \"/bin/a 'b  c' # d\"", vec!["/bin/a", "b  c", "#", "d"]),
        ("notify '/bin/a b'", vec!["/bin/a", "b"]),
        ("notify \"/bin/a \\\"b c\\\"\"", vec!["/bin/a", "b c"]),
        ("notify \"/bin/a {b} c!\"", vec!["/bin/a", "{b}", "c!"]),
        ("notify /bin/\"a\"b", vec!["/bin/ab"]),
        ("notify \"/bin/sh -c 'a | b'\"", vec!["/bin/sh", "-c", "a | b"]),
    ] {
        let loaded = accepted(&with(lines));
        assert_eq!(only(&loaded).notify.any.as_ref().expect("a command").argv, argv, "{lines}");
    }
    assert_eq!(
        accepted(&format!("global_defs {{\nrouter_id \"a # b\"c\n}}\n{}", with("")))
            .config
            .router_id
            .as_deref(),
        Some("a # bc")
    );
}

#[test]
fn files_are_included_relative_to_the_file_that_names_them() {
    let folder = Folder::new(
        "include",
        &[
            ("main.conf", "include conf.d/*.conf\ninclude nothing/*.conf\ninclude {a,b}.inc\n"),
            ("conf.d/10-checks.conf", "vrrp_script c {\ninclude ../script.inc\n}\n"),
            ("conf.d/20-instance.conf", &with("track_script {\nc\n}\ninclude more/p.inc")),
            ("conf.d/.hidden.conf", "priority"),
            ("conf.d/more/p.inc", "priority 77"),
            ("script.inc", "script /bin/true\n"),
            ("a.inc", "global_defs {\nrouter_id A\n"),
            ("b.inc", "vrrp_startup_delay 3\n}\n"),
        ],
    );

    let loaded = folder.load().unwrap_or_else(|found| panic!("{found}"));

    assert_eq!((only(&loaded).priority, loaded.config.router_id.as_deref()), (77, Some("A")));
    assert!(
        matches!(&loaded.config.checks[0].probe, Probe::Script(command) if command.argv == ["/bin/true"])
    );
    assert_eq!(loaded.config.startup_delay.as_secs(), 3);
    let missing: Vec<_> =
        loaded.warnings.iter().filter(|found| found.message.contains("there is no file")).collect();
    assert_eq!(missing.len(), 1, "{}", loaded.warnings);
    assert_eq!(position(missing[0]), (2, 1));
}

#[test]
fn a_mistake_in_an_included_file_names_that_file() {
    let folder = Folder::new(
        "mistake",
        &[
            (
                "main.conf",
                "# first\ninclude instance.conf\nvrrp_instance VI_1 {\ninterface eth1\nvirtual_router_id 7\n}\n",
            ),
            ("instance.conf", &with("\npriority 300\nadvert_int")),
        ],
    );

    let found = folder.load().expect_err("refused");

    let (main, other) = (folder.0.join("main.conf"), folder.0.join("instance.conf"));
    let places: Vec<_> = found
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| (found.file.clone(), position(found)))
        .collect();
    let at = |path: &Path, line, column| (path.display().to_string(), (line, column));
    assert_eq!(places, [at(&main, 3, 1), at(&main, 3, 15), at(&other, 6, 10), at(&other, 7, 1)], "{found}");
    let taken = format!("the name `VI_1` is taken by the instance on line 1 of {}", other.display());
    assert!(found.iter().any(|found| found.message == taken), "{found}");
    assert!(found.render(false).contains(&format!("--> {}:6:10", other.display())));
}

#[test]
fn a_file_that_includes_itself_or_is_not_there_is_refused_where_it_is_named() {
    let folder = Folder::new(
        "loop",
        &[
            ("main.conf", &format!("include a.conf\n{}", with(""))),
            ("a.conf", "\ninclude b.conf\n"),
            ("b.conf", "include ./a.conf\n"),
        ],
    );
    let found = folder.load().expect_err("refused");
    let [error] = found.iter().as_slice() else { panic!("{found}") };
    assert_eq!(
        (error.file.as_str(), position(error)),
        (folder.0.join("b.conf").to_str().expect("UTF-8"), (1, 1))
    );
    assert!(error.message.contains("includes itself"), "{error}");

    for keyword in ["includer", "includem", "includew", "includeb", "includea"] {
        let folder = Folder::new(keyword, &[("main.conf", &format!("{}\n{keyword} none.conf", with("")))]);
        let found = folder.load().expect_err("refused");
        let [error] = found.iter().as_slice() else { panic!("{found}") };
        assert_eq!(position(error), (8, 1), "{error}");
        assert!(error.message.contains("there is no file `none.conf`"), "{error}");
    }
}
