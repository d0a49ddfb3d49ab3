// The size budgets, gzipped: what the sign-in loads, what the first desk loads, and what each further route adds. Over a budget
// the build fails.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8'));
const budgets = { 'sign-in': 140, 'first desk': 300, route: 60, 'chart chunk': 200 };

const sizes = new Map();
const size = (file) => {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(dist + file), { level: 9 }).length);
  return sizes.get(file);
};
/** A chunk with all that it imports at once. */
const withImports = (name, seen = new Set()) => {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const next of manifest[name].imports ?? []) withImports(next, seen);
  return seen;
};
const isText = (name) => /texts\.(en|zh-CN)\.json$/.test(name);
const total = (names) => [...names].reduce((sum, name) => (manifest[name].file.endsWith('.js') ? sum + size(manifest[name].file) : sum), 0);
const kilo = (bytes) => (bytes / 1000).toFixed(1).padStart(7);

const entry = Object.keys(manifest).find((name) => manifest[name].isEntry);
const texts = (folders) =>
  Object.keys(manifest).filter((name) => isText(name) && name.endsWith('texts.zh-CN.json') && folders.some((folder) => name === `src/${folder}/texts.zh-CN.json`));
const signIn = new Set([...withImports(entry), ...texts(['session', 'shared', 'api', 'names'])]);
const shell = new Set([...signIn, ...withImports('src/shell/Shell.tsx')]);
const screens = Object.keys(manifest).filter((name) => /^src\/desks\/.*\.tsx$/.test(name) && manifest[name].isDynamicEntry);

const lines = [];
let failed = false;
const check = (what, budget, bytes) => {
  const over = bytes > budgets[budget] * 1000;
  failed ||= over;
  lines.push(`${kilo(bytes)} kB of ${budgets[budget]} kB  ${what}${over ? '  OVER' : ''}`);
};
check('sign-in', 'sign-in', total(signIn));
const desks = [
  ['agency', 'src/desks/agency/Today.tsx', ['desks/agency', 'desks/tickets', 'desks/developer', 'desks/account']],
  ['operator', 'src/desks/operator/Overview.tsx', ['desks/operator', 'desks/tickets', 'desks/developer', 'desks/account']],
];
for (const [name, home, folders] of desks) {
  if (!manifest[home]) continue;
  const first = new Set([...shell, ...withImports(home), ...texts(['shell', ...folders])]);
  if (name === 'agency') for (const piece of withImports('src/desks/agency/LimitMeter.tsx')) first.add(piece);
  check(`first desk: ${name}`, 'first desk', total(first));
}
for (const screen of screens) {
  const added = [...withImports(screen)].filter((name) => !shell.has(name));
  check(`route ${screen.replace('src/desks/', '')}`, 'route', total(added));
}
console.log(lines.join('\n'));
if (failed) {
  console.error('size budgets exceeded');
  process.exit(1);
}
