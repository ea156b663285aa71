// How a subscription goes on after a broken connection, whatever library it is of.

export interface Operation {
  query: string;
  variables: Record<string, unknown>;
}

/**
 * Has the variables ask for what comes after the event that data is of. Call it with each event: the library sends the operation,
 * with the variables as they are then, when it connects again. So the operation declares `$after: Cursor`, gives it to its field,
 * and selects `cursor`.
 *
 * History (`from`) has no cursor: if the connection breaks there, history begins again. A reading is known by its series and time,
 * so put them into a map by these.
 */
export function goOnAfter(data: object | null | undefined, variables: Record<string, unknown>): void {
  for (const field of Object.values(data ?? {})) {
    if (field?.cursor) {
      variables.after = field.cursor;
      delete variables.from; // it is one or the other
    }
  }
}

/** Waits before another attempt: at random, so that not all clients of a server that restarts come at once. */
export async function pause(attempt: number): Promise<void> {
  const most = Math.min(300 * 2 ** attempt, 15_000);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * most));
}
