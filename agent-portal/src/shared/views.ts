// Saved views of a table: a name for a set of filters, one of them shown first.
import { keep, kept } from '../session/preferences';

export interface View {
  name: string;
  search: string;
  first?: boolean;
}

export function readViews(id: string): View[] {
  try {
    const found: unknown = JSON.parse(kept(`views.${id}`) ?? '[]');
    return Array.isArray(found) ? (found as View[]) : [];
  } catch {
    return [];
  }
}
export const keepViews = (id: string, views: View[]) => keep(`views.${id}`, JSON.stringify(views));

/** The view of that name is replaced, the others stay. */
export function withView(views: readonly View[], view: View): View[] {
  const others = views.filter((one) => one.name !== view.name).map((one) => (view.first ? { ...one, first: false } : one));
  return [...others, view].sort((one, other) => one.name.localeCompare(other.name));
}
