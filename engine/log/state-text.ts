/** A state as text: what JSON has, and maps and sets besides. */
export const textOfState = (state: unknown): string =>
  JSON.stringify(state, (_, value: unknown) =>
    value instanceof Map ? { [MAP]: [...value] } : value instanceof Set ? { [SET]: [...value] } : value,
  );

/** The state that was written as this text. Throws where it is none. */
export const stateOfText = (text: string): unknown =>
  JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    if (MAP in value) return new Map(value[MAP] as [unknown, unknown][]);
    return SET in value ? new Set(value[SET] as unknown[]) : value;
  });

const MAP = "$map";
const SET = "$set";
