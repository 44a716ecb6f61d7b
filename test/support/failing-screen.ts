// A program that draws and then fails; see test/integration/ctl-live.test.ts.
import { Screen } from "../../src/cli/ui/screen.ts";

new Screen({
  key: () => undefined,
  changed(screen) {
    screen.draw(["a picture"]);
  },
});
setTimeout(() => {
  throw new Error("of its own");
}, 100);
