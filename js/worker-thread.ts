// The script of a `LuauWorker`'s worker.

import { serve } from "./serve.js";

serve();
