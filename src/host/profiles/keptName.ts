/** The model's part of the name: what a folder can have. */
function safeName(model: string): string {
  return model.replaceAll(/[^\w.-]+/g, '-').slice(0, 60);
}

/** The name of the folder that a profile is kept in: its model's, and when it was made. */
export function keptName(model: string, madeAt: Date): string {
  return `${safeName(model)}-${madeAt.toISOString().slice(0, 19).replaceAll(':', '.')}`;
}

/** Whether a folder of this name, or of one like it, is of a profile of this model. */
export function isKeptOf(folder: string, model: string): boolean {
  const start = `${safeName(model)}-`;
  // A longer name may begin alike.
  return folder.startsWith(start) && /^\d{4}-\d\d-\d\dT/.test(folder.slice(start.length));
}
