//! `luytre-rules` on signatures, as their authors call it: what it prints, and whether it is content.

use std::path::Path;
use std::process::{Command, Output};

fn luytre_rules(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_luytre-rules")).args(arguments).output().expect("luytre-rules runs")
}

/// Checks a file with this text, in a folder of its own; the folder does not stand in what is answered.
fn check(name: &str, text: &str, more: &[&str]) -> (String, bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(name);
    std::fs::write(&file, text).expect("the file is written");
    let output = luytre_rules(&[&["check", &file.display().to_string()], more].concat());
    let said = String::from_utf8_lossy(&output.stdout).replace(&format!("{}/", folder.path().display()), "");
    (said, output.status.success())
}

fn rule(options: &str) -> String {
    format!("alert tcp any any -> any any (msg:\"x\"; {options} sid:1000001;)\n")
}

#[test]
fn what_is_wrong_is_named_with_file_line_column_keyword_and_reason() {
    let text = format!("# ours\n{}\n{}", rule("content:\"abcd\"; nocase;"), rule("contnt:\"x\";"));
    let (said, good) = check("local.rules", &text, &[]);
    assert!(!good && said.contains("local.rules:4: column 40: contnt: this keyword is unknown"), "{said}");
    assert!(said.contains("1 signatures: 1 broken"), "{said}");
    let (said, good) = check("local.rules", &rule("content:\"abcd\";"), &[]);
    assert!(good && said.contains("1 signatures: 0 broken"), "{said}");
}

#[test]
fn hostile_rules_are_refused_with_the_limit() {
    let contents = r#"content:"aaaa"; distance:0; "#.repeat(600);
    let ports = (1..30_000).map(|port| port.to_string()).collect::<Vec<_>>().join(",");
    for (text, words) in [
        (rule(&contents), "more than"),
        (rule("content:\"abcd\"; distance:99999999999;"), "further away than any place"),
        (rule("content:\"abcd\"; offset:-2000000;"), "further away than any place"),
        (rule("pcre:\"/(a{1,1000}){1,1000}/\";"), "use smaller numbers"),
        (rule(&format!("pcre:\"/{}/\";", "(".repeat(300))), "pcre: "),
        (rule(&format!("pcre:\"/{}/\";", "a".repeat(20_000))), "longer than"),
        (rule(&format!("content:\"{}\";", "a".repeat(3000))), "longer than"),
        (format!("alert tcp any any -> any [{ports}] (sid:1;)\n"), "longer than"),
        (format!("alert tcp {}any{} any -> any any (sid:1;)\n", "[".repeat(40), "]".repeat(40)), "deep"),
    ] {
        let (said, good) = check("hostile.rules", &text, &[]);
        let line = said.lines().find(|line| line.starts_with("hostile.rules:1: "));
        assert!(
            !good && line.is_some_and(|line| line.contains(words)),
            "{words}: {}",
            said.get(..300).unwrap_or(&said)
        );
    }
}

#[test]
fn rules_that_are_hopelessly_slow_are_flagged_and_fail_only_where_that_is_asked_for() {
    let loose = r#"content:"abcd"; distance:0; "#.repeat(12);
    for (options, words) in [
        ("pcre:\"/x+y/\";", "no content finds it"),
        ("content:\"ab\";", "found by 2 bytes only"),
        ("content:\"abcdef\"; pcre:\"/(?=abc)(a+)+b/\";", "a repetition stands inside a repetition"),
        (loose.as_str(), "may each stand anywhere"),
    ] {
        let (said, good) = check("slow.rules", &rule(options), &[]);
        let line = said.lines().find(|line| line.starts_with("slow.rules:1: slow: sid 1000001: "));
        assert!(good && line.is_some_and(|line| line.contains(words)), "{words}: {said}");
        assert!(!check("slow.rules", &rule(options), &["--strict"]).1, "{words}");
    }
    let (said, good) =
        check("fine.rules", &rule("flow:established; content:\"abcdef\"; pcre:\"/^x+y/R\";"), &["--strict"]);
    assert!(good && !said.contains("slow:"), "{said}");
}

#[test]
fn tuning_that_concerns_nothing_is_named_and_tuning_that_is_wrong_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let tuning = folder.path().join("tuning.toml");
    std::fs::write(&tuning, "[[rule]]\nsid = [5]\ndisable = true\n").expect("the file is written");
    let tuning = tuning.display().to_string();
    let (said, good) = check("local.rules", &rule("content:\"abcd\";"), &["--tuning", &tuning]);
    assert!(good && said.contains("tuning.toml:1: tuning: no rule is sid 5"), "{said}");
    std::fs::write(&tuning, "[[rule]]\nsid = [5]\n").expect("the file is written");
    assert!(!check("local.rules", &rule("content:\"abcd\";"), &["--tuning", &tuning]).1);
}

#[test]
fn our_own_signatures_are_in_order_and_pass_their_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("signatures").display().to_string();
    let output = luytre_rules(&["check", "--strict", &folder]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let output = luytre_rules(&["test", &folder]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("5 passed, 0 failed"), "{said}");
}
