        if (state.isDropped) return;
        state.cnt++;
        // In a recursive call Rust gets the null and throws. Unlike a call that comes too late, this is a bug.
        const a = state.a;
        state.a = 0;
        try {
            return f(a, state.b, ...args);
        } finally {
            state.a = a;
            __wbg_release_closure(state);
        }
    };
    real._wbg_cb_unref = () => __wbg_drop_closure(state);
