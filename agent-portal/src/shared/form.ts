// Forms: zod/mini says what is wrong by the key of a text, so that the sentence is in the reader's language.
import type { FieldErrors, FieldValues, Resolver } from 'react-hook-form';
import * as z from 'zod/mini';

// Nothing is compiled at run time: the content security policy forbids it.
z.config({ jitless: true });

export { z };

/** What zod found, as react-hook-form wants it. */
export function check<Input extends FieldValues, Output extends FieldValues>(
  schema: z.ZodMiniType<Output, Input>,
): Resolver<Input, unknown, Output> {
  return (values) => {
    const result = z.safeParse(schema, values);
    if (result.success) return { values: result.data, errors: {} };
    const errors: Record<string, unknown> = {};
    for (const issue of result.error.issues) {
      let place: Record<string, unknown> = errors;
      issue.path.forEach((step, index) => {
        const name = String(step);
        if (index === issue.path.length - 1) place[name] ??= { type: issue.code, message: issue.message };
        else place = (place[name] ??= {}) as Record<string, unknown>;
      });
    }
    return { values: {}, errors: errors as FieldErrors<Input> };
  };
}

export const filled = (message: string) => z.string().check(z.trim(), z.minLength(1, message));
export const aDay = (message: string) => z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/, message));
export const anAmount = (message: string) => z.string().check(z.trim(), z.regex(/^\d{1,15}(\.\d{1,3})?$/, message));
export const optional = z.string().check(z.trim());
