export declare const assembled: Readonly<Record<'weights', string>>;
export declare function assemble(name: keyof typeof assembled): Promise<Uint8Array>;
