//! The port does not see that a block that ends with a call of `error` is never left, as Luau's own analysis does: so
//! `if not connection then error(reason) end` would not tell it that there is a connection from then on.
//!
//! It does see it for `continue`. So one is put behind each such call, in the tree of what was parsed; it takes no room in the
//! source, and by that what the analysis says about it is told apart.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use luaur::analysis::functions::does_call_error::does_call_error;
use luaur::analysis::records::source_module::SourceModule;
use luaur::ast::records::allocator::Allocator;
use luaur::ast::records::ast_array::AstArray;
use luaur::ast::records::ast_expr_call::AstExprCall;
use luaur::ast::records::ast_stat::AstStat;
use luaur::ast::records::ast_stat_block::AstStatBlock;
use luaur::ast::records::ast_stat_continue::AstStatContinue;
use luaur::ast::records::ast_stat_expr::AstStatExpr;
use luaur::ast::records::ast_visitor::AstVisitor;
use luaur::ast::records::location::Location;
use luaur::ast::rtti::ast_node_as;
use luaur::ast::visit::AstVisitable;

/// Marks the blocks of a module that end with an error, those that are not marked yet.
///
/// # Safety
///
/// Nobody else may have a reference to the tree of the module or its allocator, and the nodes must be alive.
pub(crate) unsafe fn mark(module: &SourceModule) {
    let mut blocks = Blocks::default();
    // SAFETY: the caller has it so.
    unsafe { (*module.root).visit(&mut blocks) };
    let allocator = Arc::as_ptr(&module.allocator).cast_mut();
    for block in blocks.0 {
        // SAFETY: as before, and the references to the nodes ended with the visit.
        unsafe { mark_block(&mut *block, &mut *allocator) };
    }
}

/// Whether it is where a mark may be, and nothing else: it takes no room.
pub(crate) fn is_of_mark(location: Location) -> bool {
    location.begin == location.end
}

#[derive(Default)]
struct Blocks(Vec<*mut AstStatBlock>);

impl AstVisitor for Blocks {
    fn visit_stat_block(&mut self, node: *mut c_void) -> bool {
        self.0.push(node.cast());
        true
    }
}

/// # Safety
///
/// The allocator must be that of the block, and the nodes in it must be alive.
unsafe fn mark_block(block: &mut AstStatBlock, allocator: &mut Allocator) {
    let body = block.body;
    let Some(&last) = body.as_slice().last() else { return };
    // SAFETY: the class of a node is what it says: the parser made it.
    let is_error = unsafe {
        ast_node_as::<AstStatExpr>(last.cast())
            .as_ref()
            .and_then(|statement| ast_node_as::<AstExprCall>(statement.expr.cast()).as_ref())
            .is_some_and(does_call_error)
    };
    if !is_error {
        return;
    }
    // SAFETY: as before.
    let end = unsafe { (*last).base.location.end };
    let mark = allocator.alloc(AstStatContinue::new(Location { begin: end, end })).cast::<AstStat>();
    let size = body.size + 1;
    #[expect(clippy::cast_ptr_alignment, reason = "what the allocator gives is aligned for anything")]
    let longer = allocator.allocate(size * size_of::<*mut AstStat>()).cast::<*mut AstStat>();
    // SAFETY: there is room for that many, aligned for anything, and it is of nobody else.
    unsafe {
        ptr::copy_nonoverlapping(body.data, longer, body.size);
        longer.add(body.size).write(mark);
    }
    block.body = AstArray { data: longer, size };
}
