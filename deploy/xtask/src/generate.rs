//! The generated contracts, written where they are committed: the sensor's catalogue, the console's OpenAPI document,
//! and the client that the pages make from it. Tests fail when one of them is stale; this makes them fresh.

use anyhow::{Context, Result};

use crate::{steps, web, workspace};

/// Writes all of them.
pub fn run() -> Result<()> {
    from_program("luytre-sensor", &["catalogue"], "sensor/events/catalogue.json")?;
    from_program("luytre-sensor", &["catalogue", "--manual"], "docs/manual/events.md")?;
    from_program("luytre-console", &["openapi"], "console/openapi.json")?;
    let pages = web::folder();
    web::install(&pages)?;
    steps::step("the pages' API client", || steps::quiet(web::npm(&pages).args(["run", "generate"])))
}

/// What one of our programs prints when asked for its contract.
fn from_program(program: &str, command: &[&str], file: &str) -> Result<()> {
    steps::step(file, || {
        let text = steps::capture(workspace::cargo().args(["run", "--quiet", "-p", program, "--"]).args(command))?;
        std::fs::write(workspace::root().join(file), text).with_context(|| format!("write {file}"))
    })
}
