//! Português do Brasil.

use vms_types::AuditOutcome;

use super::AdminTexts;

pub(crate) const TEXTS: AdminTexts = AdminTexts {
    all: "Qualquer",
    search: "Buscar",
    state: "Estado",
    server: "Servidor",
    load_more: "Carregar mais",
    shown: |n, more| match (n, more) {
        (1, false) => "1 máquina".to_owned(),
        (n, false) => format!("{n} máquinas"),
        (n, true) => format!("as primeiras {n} máquinas"),
    },
    machines_none_fit: "Nenhuma máquina corresponde aos filtros.",
    bulk: "Comandos para as máquinas marcadas",
    selected: |n| match n {
        0 => "Nenhuma marcada".to_owned(),
        1 => "1 marcada".to_owned(),
        n => format!("{n} marcadas"),
    },
    bulk_stop_title: |n| {
        if n == 1 { "Desligar 1 máquina?".to_owned() } else { format!("Desligar {n} máquinas?") }
    },
    bulk_stop_text: "Quem estiver usando essas máquinas perde a conexão com elas.",
    bulk_delete_title: |n| {
        if n == 1 { "Excluir 1 máquina?".to_owned() } else { format!("Excluir {n} máquinas?") }
    },
    bulk_delete_text: "As máquinas, tudo o que há nelas e todos os seus snapshots deixam de existir. Não há como desfazer.",
    audit_empty: "Nenhum registro corresponde aos filtros.",
    audit_file: "auditoria",
    export: |format| format!("Exportar {format}"),
    from_day: "De",
    until_day: "Até",
    column_when: "Quando",
    column_person: "Pessoa",
    column_action: "Ação",
    column_target: "Alvo",
    column_outcome: "Resultado",
    action: |word| {
        Some(match word {
            "auth.login" => "Entrar",
            "auth.logout" => "Sair",
            "auth.refresh" => "Renovar a sessão",
            "machine.create" => "Criar máquina",
            "machine.edit" => "Alterar máquina",
            "machine.power" => "Ligar ou desligar",
            "machine.reset" => "Voltar ao estado inicial",
            "machine.delete" => "Excluir máquina",
            "machine.bulk" => "Comando em lote",
            "snapshot.create" => "Criar snapshot",
            "snapshot.rename" => "Renomear snapshot",
            "snapshot.restore" => "Restaurar snapshot",
            "snapshot.delete" => "Excluir snapshot",
            "operation.cancel" => "Cancelar operação",
            "user.edit" => "Alterar usuário",
            "user.sign_out" => "Encerrar sessões",
            "quota.put" => "Definir cota",
            "quota.delete" => "Retirar cota",
            "profile.create" => "Criar perfil",
            "profile.update" => "Alterar perfil",
            "profile.delete" => "Excluir perfil",
            "token.create" => "Criar token",
            "token.delete" => "Encerrar token",
            _ => return None,
        })
    },
    outcome: |outcome| match outcome {
        AuditOutcome::Ok => "Aceito",
        AuditOutcome::Refused => "Recusado",
    },
    detail_action: "Ação na API",
    detail_answer: "Resposta",
    detail_address: "Endereço de origem",
    detail_request: "Número do pedido",
    detail_asked: "Pedido",
};
