/** The file ends early or is not well-formed XML. What was read before stands. */
export class BrokenExport extends Error {}

/** The file is no Apple Health export at all; the message says what was expected. */
export class NotAnExport extends Error {}
