//! Marks blocks that end with a call of `error`. Unlike Luau's own analysis, the port does not know that control never
//! leaves such a block, so after `if not connection then error(reason) end` it would not know that there is a
//! connection.
//!
//! The port handles `continue` correctly. So this adds a `continue` as a marker after each such call, in the syntax
//! tree. The marker has no extent in the source, which distinguishes lints about it from others.

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

/// Marks the blocks of a module that end with an error, unless they are marked already.
///
/// # Safety
///
/// There must be no other reference to the tree of the module or its allocator, and the nodes must be alive.
pub(crate) unsafe fn mark_blocks(module: &SourceModule) {
    let mut blocks = Blocks::default();
    // SAFETY: The caller's promise.
    unsafe { (*module.root).visit(&mut blocks) };
    let allocator = Arc::as_ptr(&module.allocator).cast_mut();
    for block in blocks.0 {
        // SAFETY: As before, and the references to the nodes ended with the visit.
        unsafe { mark_block(&mut *block, &mut *allocator) };
    }
}

/// Returns true if a location can only belong to a marker, because it is empty.
pub(crate) fn is_marker(location: Location) -> bool {
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
/// The allocator must be the block's, and the nodes in it must be alive.
unsafe fn mark_block(block: &mut AstStatBlock, allocator: &mut Allocator) {
    let body = block.body;
    let Some(&last) = body.as_slice().last() else { return };
    // SAFETY: The parser set the class of the node.
    let is_error = unsafe {
        ast_node_as::<AstStatExpr>(last.cast())
            .as_ref()
            .and_then(|statement| ast_node_as::<AstExprCall>(statement.expr.cast()).as_ref())
            .is_some_and(does_call_error)
    };
    if !is_error {
        return;
    }
    // SAFETY: As before.
    let end = unsafe { (*last).base.location.end };
    let marker = allocator.alloc(AstStatContinue::new(Location { begin: end, end })).cast::<AstStat>();
    let size = body.size + 1;
    #[expect(clippy::cast_ptr_alignment, reason = "the allocator's memory is aligned for any type")]
    let longer = allocator.allocate(size * size_of::<*mut AstStat>()).cast::<*mut AstStat>();
    // SAFETY: The new memory has room for that many pointers, is aligned for any type, and is not shared.
    unsafe {
        ptr::copy_nonoverlapping(body.data, longer, body.size);
        longer.add(body.size).write(marker);
    }
    block.body = AstArray { data: longer, size };
}
