/** Whether a file is a picture, by its name. */
export function isImageFile(file: string): boolean {
  return /\.(?:png|jpe?g|webp|gif)$/i.test(file);
}
