// SPDX-License-Identifier: MIT
// node asyncapi.js FILE…: reads AsyncAPI documents by AsyncAPI's own parser, as its CLI does. Prints what it has to say, and fails on errors.
import { Parser, fromFile } from '@asyncapi/parser';

const parser = new Parser();
for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await fromFile(parser, file).parse();
  for (const { severity, path, message } of diagnostics) console.log(`${['error', 'warning', 'info', 'hint'][severity]} ${path.join('/')}: ${message}`);
  if (!document || diagnostics.some(({ severity }) => severity === 0)) process.exitCode = 1;
}
