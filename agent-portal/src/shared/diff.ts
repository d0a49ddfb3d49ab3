// What a change would do, field by field: the value before (if it is known) and the value after.
export interface Difference {
  field: string;
  before: string | null;
  after: string | null;
  changed: boolean;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

export const shown = (value: unknown): string | null =>
  value === undefined || value === null ? null : typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);

function flat(value: unknown, path = ''): Map<string, unknown> {
  const found = new Map<string, unknown>();
  if (!isObject(value)) return path ? found.set(path, value) : found;
  for (const [name, part] of Object.entries(value)) {
    const place = path ? `${path}.${name}` : name;
    if (isObject(part)) for (const [inner, leaf] of flat(part, place)) found.set(inner, leaf);
    else found.set(place, part);
  }
  return found;
}

/** Fields of the change; where the object as it is has the same field, with what stands there now. */
export function differences(before: unknown, after: unknown): Difference[] {
  const was = flat(before);
  return [...flat(after)].map(([field, value]) => {
    const old = was.has(field) ? shown(was.get(field)) : null;
    const next = shown(value);
    return { field, before: old, after: next, changed: old !== next };
  });
}
