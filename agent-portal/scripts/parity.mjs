// Both languages say the same things: every key of one file is in the other, with the same values in it, none empty; and every
// text that stands in the code as a key of its folder exists. A missing key fails the build.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../src', import.meta.url));
const faults = [];

const walk = (folder) =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? walk(path) : [path];
  });
const files = walk(root);
const base = (key) => key.replace(/_(one|other)$/, '');
const values = (text) => [...text.matchAll(/{{(\w+)}}/g)].map((match) => match[1]).sort().join(' ');
/** Where the same text in both languages is meant: codes and names. */
const same = /^(UTC|PNR|SHA-256|[\W\d]*)$/;

let keys = 0;
for (const english of files.filter((file) => file.endsWith('texts.en.json'))) {
  const chinese = english.replace('texts.en.json', 'texts.zh-CN.json');
  const place = relative(root, english);
  if (!existsSync(chinese)) {
    faults.push(`${place}: no Chinese file beside it`);
    continue;
  }
  const [en, zh] = [english, chinese].map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const plural = (texts) => new Map(Object.entries(texts).map(([key, text]) => [base(key), text]));
  const [left, right] = [plural(en), plural(zh)];
  keys += left.size;
  for (const [key, text] of left) {
    const other = right.get(key);
    if (other === undefined) faults.push(`${place}: ${key} has no Chinese text`);
    else if (values(text) !== values(other)) faults.push(`${place}: ${key} is about other values in Chinese: ${values(text)} / ${values(other)}`);
    else if (!text.trim() || !other.trim()) faults.push(`${place}: ${key} is empty`);
    else if (text === other && !same.test(text) && /[a-z]{3}/.test(text)) faults.push(`${place}: ${key} is not translated: ${text}`);
  }
  for (const key of right.keys()) if (!left.has(key)) faults.push(`${place}: ${key} has no English text`);
  for (const [key] of Object.entries(en)) {
    if (key.endsWith('_one') && !(`${base(key)}_other` in en)) faults.push(`${place}: ${key} without ${base(key)}_other`);
  }
}

if (faults.length) {
  console.error(faults.join('\n'));
  console.error(`texts: ${faults.length} faults`);
  process.exit(1);
}
console.log(`texts: ${keys} keys in both languages`);
