// Writes the types of the API's client from the contract that the backend commits. Nothing of it is kept in the repository, so
// it cannot be out of date; an unchanged contract is not read twice.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const contract = new URL('../../backend/openapi.json', import.meta.url);
const target = new URL('../src/api/schema.d.ts', import.meta.url);

const text = readFileSync(contract, 'utf8');
const stamp = `// ${createHash('sha256').update(text).digest('hex')}\n`;
if (existsSync(target) && readFileSync(target, 'utf8').startsWith(stamp)) process.exit(0);

const document = JSON.parse(text);
for (const path of Object.values(document.paths)) {
  for (const operation of Object.values(path)) {
    // What this client says about itself stands in one place, the middleware, not in every call.
    if (operation?.parameters) {
      operation.parameters = operation.parameters.map((parameter) =>
        parameter.in === 'header' ? { ...parameter, required: false } : parameter,
      );
    }
  }
}
const types = astToString(await openapiTS(document, { alphabetize: false, emptyObjectsUnknown: true }));
writeFileSync(target, stamp + types);
console.log(`client: ${target.pathname} from ${Object.keys(document.paths).length} addresses`);
