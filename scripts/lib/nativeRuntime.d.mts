/** Puts the libraries of a platform below a folder, as links where that can be; false where there are none. */
export function linkNativeLibraries(platform: string, architecture: string, folder: string): boolean;
