        if (state.isDropped) return;
        state.cnt++;
        try {
            return f(state.a, state.b, ...args);
        } finally {
            __wbg_release_closure(state);
        }
    };
    real._wbg_cb_unref = () => __wbg_drop_closure(state);
