// SPDX-License-Identifier: MIT
// node schemas.js SCHEMA [DOCUMENT…]: compiles a JSON Schema by ajv in strict mode, and prints for each document "valid" or ajv's errors, one line each.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const [schema, ...documents] = process.argv.slice(2);
const ajv = new Ajv({ strict: true, allowUnionTypes: true, strictRequired: false });
const validate = ajv.compile(read(schema));
for (const file of documents) console.log(validate(read(file)) ? 'valid' : ajv.errorsText(validate.errors).replaceAll('\n', ' '));
