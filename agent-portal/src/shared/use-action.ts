import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { useRef } from 'react';
import type { Problem } from '../api/problem';
import { newKey } from './money-write';

/**
 * A write that moves no money. Its key is kept until it has an answer, so that asking again after a lost answer is the same write;
 * afterwards everything that is shown is read anew.
 */
export function useAction<Result, Input = void>(
  run: (input: Input, key: string) => Promise<Result>,
  onDone?: (result: Result) => void,
): UseMutationResult<Result, Problem, Input> {
  const queries = useQueryClient();
  const key = useRef<{ key: string; body: string } | null>(null);
  return useMutation<Result, Problem, Input>({
    mutationFn: (input) => {
      const body = JSON.stringify(input ?? null);
      if (key.current?.body !== body) key.current = { key: newKey(), body };
      return run(input, key.current.key);
    },
    onSuccess: async (result) => {
      key.current = null;
      onDone?.(result);
      await queries.invalidateQueries();
    },
    onError: (problem) => {
      if (problem.outcome === 'nothing_happened') key.current = null;
    },
  });
}
