// Whether a decoded message has the fields that its kind must have.
export type Guard = (value: unknown) => boolean;
export type Shape = Readonly<Record<string, Guard>>;
export type Shapes = Readonly<Record<string, Shape>>;

export const text: Guard = (value) => typeof value === 'string';
export const count: Guard = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
export const mapping: Guard = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
export const texts: Guard = (value) => Array.isArray(value) && value.every(text);
export const amount: Guard = (value) => typeof value === 'number' && Number.isFinite(value);
export const amounts: Guard = (value) => Array.isArray(value) && value.every(amount);

/** The value as it is when its `type` is in `shapes` and it has that shape; null: it is no such message. */
export function fitting(value: unknown, shapes: Shapes): object | null {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') return null;
  const shape = Object.hasOwn(shapes, value.type) ? shapes[value.type] : undefined;
  return shape !== undefined && has(value, shape) ? value : null;
}

export function has(value: unknown, shape: Shape): boolean {
  return typeof value === 'object' && value !== null && Object.entries(shape).every(([field, fits]) => fits(Reflect.get(value, field)));
}
