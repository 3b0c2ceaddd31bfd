// Browsers start no worker for a page that is opened as a file; there a hidden frame runs the search's script in its place.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.window = frame.contentWindow;
      const page = frame.contentDocument;
      page.open(); // so that no empty page is loaded over it
      page.write("<!doctype html>");
      page.close();
      this.window.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }));
      const script = page.createElement("script");
      this.ready = new Promise(done => { script.onload = done; });
      script.src = new URL(url, location.href);
      page.head.append(script);
    }

    postMessage(data) {
      this.ready.then(() => this.window.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
