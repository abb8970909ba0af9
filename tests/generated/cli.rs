//! `cli.md`.

use clap::Command;

use super::page::Page;

/// Columns of the help texts.
const WIDTH: usize = 100;

pub(crate) fn page() -> String {
    let mut page = Page::new(
        "Command line",
        "The help text of every command, as `gatecrash COMMAND --help` prints it. stdout carries results, \
         stderr progress and errors; how a command ends is in [exit codes](exit-codes.md).",
    );
    let mut command = with_width(gatecrash::cli::description());
    command.build();
    describe(&command, &mut page);
    page.finish()
}

fn with_width(command: Command) -> Command {
    command.term_width(WIDTH).mut_subcommands(with_width)
}

fn describe(command: &Command, page: &mut Page) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    page.heading(2, name);
    page.code("text", &help(command));
    for inner in command.get_subcommands().filter(|c| c.get_name() != "help") {
        describe(inner, page);
    }
}

fn help(command: &Command) -> String {
    let text = command.clone().render_long_help().to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
