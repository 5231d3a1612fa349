/// <reference lib="esnext.disposable" preserve="true" />

/** Makes `using` call `dispose`. A method of the class would be named "undefined" in runtimes without the symbol. */
export function makeDisposable({ prototype }: { readonly prototype: { dispose(): void } }): void {
  if (Symbol.dispose !== undefined) {
    Object.defineProperty(prototype, Symbol.dispose, {
      value: prototype.dispose,
      writable: true,
      configurable: true,
    });
  }
}
